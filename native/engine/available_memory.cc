#include "engine/available_memory.h"

#include <algorithm>
#include <fstream>

namespace panthalia {
namespace {

constexpr int64_t unknown = unknown_memory;

/** The number after `key` in a file of /proc or of a control group, times `unit`; unknown where there is none. */
int64_t number_in(const std::string& path, const std::string& key, int64_t unit) {
  std::ifstream file(path);
  std::string word;
  while (!key.empty() && file >> word && word != key) continue;
  int64_t number = 0;
  return file >> number ? number * unit : unknown;
}

/** What a control group leaves, of its limit, to a process of it that holds so much: others of the group use memory too. */
int64_t left_in_group(int64_t limit, int64_t used, int64_t reclaimable, int64_t held) {
  if (limit == unknown || used == unknown) return limit == unknown ? unknown : limit - held;
  return limit - std::max(held, used - (reclaimable == unknown ? 0 : reclaimable));
}

}  // namespace

int64_t available_bytes(int64_t held, const std::string& root) {
  const std::string system = root + "/proc/meminfo", group = root + "/sys/fs/cgroup/", old_group = group + "memory/";
  const int64_t free = number_in(system, "MemAvailable:", 1024);
  if (free == unknown) return unknown;
  const int64_t swap = number_in(system, "SwapFree:", 1024);
  const int64_t left = std::min({
      free,
      number_in(system, "MemTotal:", 1024) - held,
      left_in_group(number_in(group + "memory.max", "", 1), number_in(group + "memory.current", "", 1),
                    number_in(group + "memory.stat", "inactive_file", 1), held),
      left_in_group(number_in(old_group + "memory.limit_in_bytes", "", 1),
                    number_in(old_group + "memory.usage_in_bytes", "", 1),
                    number_in(old_group + "memory.stat", "total_inactive_file", 1), held),
  });
  return left + (swap == unknown ? 0 : swap);
}

}  // namespace panthalia
