// Sleeping coroutines by deadline; those with equal deadlines are in the order in which they were
// added.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <vector>

#include "feedrate/base/units.h"

namespace feedrate {

class Reactor;

// A 4-ary heap: half the depth of a binary one, and one cache line holds most of a node's children.
class TimerHeap {
 public:
  bool empty() const { return entries_.empty(); }
  Instant next_deadline() const { return entries_.front().deadline; }
  void push(Instant deadline, std::coroutine_handle<> waiter, const Reactor* owner) {
    entries_.push_back({deadline, sequence_++, waiter, owner});
    std::size_t hole = entries_.size() - 1;
    const Entry entry = entries_[hole];
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 4;
      if (!(entry < entries_[parent])) break;
      entries_[hole] = entries_[parent];
      hole = parent;
    }
    entries_[hole] = entry;
  }
  std::coroutine_handle<> pop() {
    const std::coroutine_handle<> top = entries_.front().waiter;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (!entries_.empty()) sift_down(last);
    return top;
  }
  // Takes those of one owner, in order.
  std::vector<std::coroutine_handle<>> pop_of(const Reactor* owner) {
    const auto first = std::partition(entries_.begin(), entries_.end(),
                                      [owner](const Entry& entry) { return entry.owner != owner; });
    std::vector<Entry> taken(first, entries_.end());
    std::vector<Entry> left(entries_.begin(), first);
    std::ranges::sort(taken, std::less<>());
    // In order, and so a heap.
    std::ranges::sort(left, std::less<>());
    entries_ = std::move(left);
    std::vector<std::coroutine_handle<>> waiters;
    for (const Entry& entry : taken) waiters.push_back(entry.waiter);
    return waiters;
  }

 private:
  struct Entry {
    Instant deadline;
    std::uint64_t sequence;
    std::coroutine_handle<> waiter;
    const Reactor* owner;
    bool operator<(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence;
    }
  };
  void sift_down(const Entry& entry) {
    const std::size_t size = entries_.size();
    std::size_t hole = 0;
    while (true) {
      const std::size_t first = hole * 4 + 1;
      if (first >= size) break;
      std::size_t least = first;
      const std::size_t end = first + 4 < size ? first + 4 : size;
      for (std::size_t child = first + 1; child < end; ++child)
        if (entries_[child] < entries_[least]) least = child;
      if (!(entries_[least] < entry)) break;
      entries_[hole] = entries_[least];
      hole = least;
    }
    entries_[hole] = entry;
  }

  std::vector<Entry> entries_;
  std::uint64_t sequence_ = 0;
};

}  // namespace feedrate
