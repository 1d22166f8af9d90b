#include "engine/parameter_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
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

}  // namespace

WrittenFile read_parameters(const std::string& path, const Layout& layout, float* parameters) {
  File file(path, O_RDONLY);
  if (!file.is_open()) fail("opening", path);
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) fail("reading", path);
  const int64_t expected = layout.parameter_count() * static_cast<int64_t>(sizeof(float));
  if (!S_ISREG(status.st_mode) || status.st_size != expected) {
    throw EngineError(ErrorCode::shape_mismatch, path + " must be a file of " + std::to_string(expected) +
                                                     " bytes for this model, received " +
                                                     std::to_string(status.st_size));
  }
  Sha256 hash;
  auto* bytes = reinterpret_cast<uint8_t*>(parameters);
  for (int64_t done = 0; done < expected;) {
    const size_t wanted = std::min(piece_bytes, static_cast<size_t>(expected - done));
    const ssize_t received = ::read(file.descriptor(), bytes + done, wanted);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) fail("reading", path);
    if (received == 0) throw EngineError(ErrorCode::io, path + " became shorter while it was read");
    hash.update(bytes + done, static_cast<size_t>(received));
    done += received;
  }
  check_finite(layout, parameters, path);
  return {hash.finish(), expected};
}

WrittenFile write_parameters(const std::string& path, const Layout& layout, const float* parameters) {
  const std::string temporary = path + ".tmp-" + std::to_string(::getpid());
  const size_t size = static_cast<size_t>(layout.parameter_count()) * sizeof(float);
  Sha256 hash;
  File file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) fail("creating", temporary);
  const bool done = write_all(file.descriptor(), reinterpret_cast<const uint8_t*>(parameters), size, hash) &&
                    ::fsync(file.descriptor()) == 0 && file.close() &&
                    ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!done) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail("writing", path);
  }
  sync_folder(path);
  return {hash.finish(), static_cast<int64_t>(size)};
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
