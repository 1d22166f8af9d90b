#include "engine/parameter_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <utility>

#include "engine/engine_error.h"
#include "engine/vectorised.h"

namespace panthalia {
namespace {

constexpr size_t piece_bytes = size_t{1} << 20;

[[noreturn]] void fail(const std::string& doing, const std::string& path) {
  throw EngineError(ErrorCode::io, doing + " " + path + " failed: " + std::strerror(errno));
}

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

/** A finished rename survives a crash only once the folder is on disk too. */
void sync_folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  File file(folder, O_RDONLY | O_DIRECTORY);
  if (!file.is_open() || ::fsync(file.descriptor()) != 0) fail("syncing the folder of", path);
}

bool write_all(int descriptor, const uint8_t* bytes, size_t size, Sha256& hash) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, bytes, std::min(size, piece_bytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    hash.update(bytes, static_cast<size_t>(written));
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

bool read_all(int descriptor, float* floats, int64_t count, const std::string& path, Sha256& hash) {
  auto* bytes = reinterpret_cast<uint8_t*>(floats);
  const int64_t size = count * static_cast<int64_t>(sizeof(float));
  for (int64_t done = 0; done < size;) {
    const size_t wanted = std::min(piece_bytes, static_cast<size_t>(size - done));
    const ssize_t received = ::read(descriptor, bytes + done, wanted);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) fail("reading", path);
    if (received == 0) return false;
    hash.update(bytes + done, static_cast<size_t>(received));
    done += received;
  }
  return true;
}

/** Groups of one layout, one after the other. */
WrittenFile read_groups(const std::string& path, const Layout& layout, std::span<float* const> groups) {
  File file(path, O_RDONLY | O_NONBLOCK);  // a pipe would wait here for somebody who writes
  if (!file.is_open()) fail("opening", path);
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) fail("reading", path);
  const int64_t expected = layout.parameter_count() * static_cast<int64_t>(groups.size() * sizeof(float));
  const bool is_file = S_ISREG(status.st_mode);
  if (!is_file || status.st_size != expected) {
    const std::string received = is_file ? std::to_string(status.st_size) : "a folder, a pipe or a device";
    throw EngineError(ErrorCode::shape_mismatch, path + " must be a file of " + std::to_string(expected) +
                                                     " bytes for this model, received " + received);
  }
  Sha256 hash;
  for (float* group : groups) {
    if (!read_all(file.descriptor(), group, layout.parameter_count(), path, hash)) {
      throw EngineError(ErrorCode::io, path + " became shorter while it was read");
    }
    check_finite(layout, group, path);
  }
  return {hash.finish(), expected};
}

WrittenFile write_groups(const std::string& path, const Layout& layout, std::span<const float* const> groups) {
  static std::atomic<uint64_t> written = 0;  // by this process: two trainers may save to one path at once
  const std::string temporary = path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(++written);
  const size_t size = static_cast<size_t>(layout.parameter_count()) * sizeof(float);
  Sha256 hash;
  File file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) fail("creating", temporary);
  const auto write_group = [&](const float* group) {
    return write_all(file.descriptor(), reinterpret_cast<const uint8_t*>(group), size, hash);
  };
  const bool done = std::all_of(groups.begin(), groups.end(), write_group) && ::fsync(file.descriptor()) == 0 &&
                    file.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!done) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail("writing", path);
  }
  sync_folder(path);
  return {hash.finish(), static_cast<int64_t>(groups.size() * size)};
}

}  // namespace

WrittenFile read_parameters(const std::string& path, const Layout& layout, float* parameters) {
  return read_groups(path, layout, std::array{parameters});
}

WrittenFile write_parameters(const std::string& path, const Layout& layout, const float* parameters) {
  return write_groups(path, layout, std::array{parameters});
}

WrittenFile read_state(const std::string& path, const Layout& layout, const std::array<float*, 3>& state) {
  return read_groups(path, layout, state);
}

WrittenFile write_state(const std::string& path, const Layout& layout, const std::array<const float*, 3>& state) {
  return write_groups(path, layout, state);
}

bool all_finite(const float* values, int64_t length) {
  return vectorised([=] PANTHALIA_LOOP() {
    uint32_t largest = 0;
    for (int64_t i = 0; i < length; ++i) {
      const uint32_t bits = std::bit_cast<uint32_t>(values[i]) & 0x7fffffffu;
      largest = largest > bits ? largest : bits;
    }
    return largest < 0x7f800000u;
  });
}

void check_finite(const Layout& layout, const float* parameters, const std::string& what) {
  for (const TensorSlot& slot : layout.tensors()) {
    if (!all_finite(parameters + slot.offset, slot.length)) {
      throw EngineError(ErrorCode::invalid_state, what + " holds NaN or Inf in tensor " + slot.name);
    }
  }
}

}  // namespace panthalia
