// SPDX-License-Identifier: Apache-2.0
#include "snapshot/forwarding_vfs.h"

#include "nerve/core/error.h"

#include <fmt/format.h>

namespace nerve::backups {

/// One function of a file layer, called on the default one with the same arguments.
template <class Result, class... Arguments, Result (*::sqlite3_vfs::*Function)(::sqlite3_vfs*, Arguments...)>
struct ForwardingVfs::Forward<Function> {
  static Result call(::sqlite3_vfs* vfs, Arguments... arguments) {
    ::sqlite3_vfs* base = of(vfs).base_;
    return (base->*Function)(base, arguments...);
  }
};

ForwardingVfs::ForwardingVfs(std::string_view purpose)
    // The address tells it from all others that live.
    : name_(fmt::format("nerve-{}-{}", purpose, fmt::ptr(this))), base_(::sqlite3_vfs_find(nullptr)) {
  if (base_ == nullptr) throw Error(ErrorKind::failure, "sqlite has no file layer");
  // The functions of version 3 only replace system calls.
  functions_.iVersion = base_->iVersion < 2 ? 1 : 2;
  functions_.szOsFile = base_->szOsFile;
  functions_.mxPathname = base_->mxPathname;
  functions_.zName = name_.c_str();
  functions_.pAppData = this;
  functions_.xOpen = Forward<&::sqlite3_vfs::xOpen>::call;
  functions_.xDelete = Forward<&::sqlite3_vfs::xDelete>::call;
  functions_.xAccess = Forward<&::sqlite3_vfs::xAccess>::call;
  functions_.xFullPathname = Forward<&::sqlite3_vfs::xFullPathname>::call;
  functions_.xDlOpen = Forward<&::sqlite3_vfs::xDlOpen>::call;
  functions_.xDlError = Forward<&::sqlite3_vfs::xDlError>::call;
  functions_.xDlSym = Forward<&::sqlite3_vfs::xDlSym>::call;
  functions_.xDlClose = Forward<&::sqlite3_vfs::xDlClose>::call;
  functions_.xRandomness = Forward<&::sqlite3_vfs::xRandomness>::call;
  functions_.xSleep = Forward<&::sqlite3_vfs::xSleep>::call;
  functions_.xCurrentTime = Forward<&::sqlite3_vfs::xCurrentTime>::call;
  functions_.xGetLastError = Forward<&::sqlite3_vfs::xGetLastError>::call;
  functions_.xCurrentTimeInt64 = Forward<&::sqlite3_vfs::xCurrentTimeInt64>::call;
}

ForwardingVfs::~ForwardingVfs() {
  ::sqlite3_vfs_unregister(&functions_);
}

void ForwardingVfs::make_known() {
  const int code = ::sqlite3_vfs_register(&functions_, 0);
  if (code != SQLITE_OK) {
    throw Error(ErrorKind::failure,
                fmt::format("sqlite does not take a file layer: {}", ::sqlite3_errstr(code)));
  }
}

}  // namespace nerve::backups
