// Quantities that carry their unit in their type, so that a formula whose units do not come out
// does not compile: Bytes / Seconds is a BytesPerSecond, and a Seconds cannot be passed for one.
//
//   const Bytes batch = Count(400) * Bytes(114660.07);
//   const BytesPerSecond demand = batch / Seconds(0.224);
//
// Values are doubles: a plan's figures are estimates, and 2^53 bytes are 9 PB to the byte.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>

namespace feedrate {

// The unit is bytes^B seconds^S money^M; a Count (of samples, files, accelerators) has no
// dimension.
template <int B, int S, int M>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}
  constexpr double value() const { return value_; }

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator+(Quantity other) const { return Quantity(value_ + other.value_); }
  constexpr Quantity operator-(Quantity other) const { return Quantity(value_ - other.value_); }
  constexpr Quantity& operator+=(Quantity other) { return *this = *this + other; }

  template <int B2, int S2, int M2>
  constexpr auto operator*(Quantity<B2, S2, M2> other) const {
    return Quantity<B + B2, S + S2, M + M2>(value_ * other.value());
  }
  template <int B2, int S2, int M2>
  constexpr auto operator/(Quantity<B2, S2, M2> other) const {
    return Quantity<B - B2, S - S2, M - M2>(value_ / other.value());
  }

 private:
  double value_ = 0;
};

using Count = Quantity<0, 0, 0>;
using Bytes = Quantity<1, 0, 0>;
using Seconds = Quantity<0, 1, 0>;
using BytesPerSecond = Quantity<1, -1, 0>;
using PerSecond = Quantity<0, -1, 0>;  // samples, files, operations
using Money = Quantity<0, 0, 1>;
using MoneyPerSecond = Quantity<0, -1, 1>;

constexpr Count count_of(std::uint64_t value) { return Count(static_cast<double>(value)); }

// Returns the next whole number. A count within 1e-9 of a whole number is that number (7 / 0.7 is
// 10, not 11).
inline Count whole(Count count) { return Count(std::ceil(count.value() * (1 - 1e-9))); }

// Returns the square root of a product of two times.
inline Seconds root(Quantity<0, 2, 0> square) { return Seconds(std::sqrt(square.value())); }

constexpr Seconds hours(double value) { return Seconds(value * 3600); }

}  // namespace feedrate
