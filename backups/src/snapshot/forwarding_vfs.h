// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

namespace nerve::backups {

/// A file layer (VFS) under a name of its own, known to SQLite while the object lives: close all connections
/// that use it before. All its functions go to the default one; a derived class replaces those it is about
/// and then calls make_known().
class ForwardingVfs {
 public:
  ForwardingVfs(const ForwardingVfs&) = delete;
  ForwardingVfs& operator=(const ForwardingVfs&) = delete;

  const std::string& name() const noexcept { return name_; }

 protected:
  /// `purpose` becomes part of the name. Throws Error where SQLite has no default file layer.
  explicit ForwardingVfs(std::string_view purpose);
  ~ForwardingVfs();

  /// Throws Error where SQLite refuses.
  void make_known();

  ::sqlite3_vfs& functions() noexcept { return functions_; }
  /// The default file layer.
  ::sqlite3_vfs* base() const noexcept { return base_; }

  static ForwardingVfs& of(::sqlite3_vfs* vfs) noexcept {
    return *static_cast<ForwardingVfs*>(vfs->pAppData);
  }

 private:
  template <auto Function>
  struct Forward;

  std::string name_;
  ::sqlite3_vfs* base_ = nullptr;
  ::sqlite3_vfs functions_{};
};

}  // namespace nerve::backups
