// The functions with which the table in backends.cc makes each backend. Private to storage/.
#pragma once

#include <memory>
#include <string>

#include "feedrate/storage/storage.h"

namespace feedrate {

class OwnDirectories;

// `facts` are those of the backend's row, with the alignment that its reads really have. The
// storages of one factory share what they have claimed, `own`.
std::unique_ptr<Storage> make_posix_storage(Reactor& reactor, IoMode mode,
                                            const StorageFacts& facts,
                                            std::shared_ptr<OwnDirectories> own);
std::unique_ptr<Storage> make_null_storage(Reactor& reactor, const StorageFacts& facts);

}  // namespace feedrate
