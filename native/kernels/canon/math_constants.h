// Constants of section 3 of docs/opset-canon-f32-v1.md, shared by C++ and CUDA.
#pragma once

#include <cstdint>

namespace panthalia::canon {

constexpr float round_magic = 0x1.8p23f;  // x + magic - magic is x rounded to an integer
constexpr float log2_e = 0x1.715476p+0f;
constexpr float ln2_high = 0x1.62e4p-1f;  // 15 bits: n * ln2_high is exact
constexpr float ln2_low = 0x1.7f7d1cp-20f;
constexpr float exp_lowest = -104.0f;  // e^-104 is less than half the least subnormal
constexpr float exp_highest = 89.0f;   // beyond the largest finite number

/** (e^r - 1 - r) / r^2 */
constexpr float exp_q[5] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.123a2p-7f, 0x1.6a23ccp-10f};

/** ln(1 - erf(a)) / a + 1 */
constexpr float erf_q[9] = {-0x1.06eba8p-3f, -0x1.45f2fap-1f, -0x1.a4fa6p-4f, 0x1.39cddep-6f, 0x1.5047e6p-13f,
                            -0x1.b4fd42p-10f, 0x1.4bc68ep-11f, -0x1.ed64cep-14f, 0x1.368ffep-17f};
constexpr float erf_highest = 3.95f;  // erf is 1 from 3.92 on
constexpr float tanh_highest = 9.1f;  // tanh is 1 from 9.02 on

/** (ln(1 + f) - f + f^2 / 2) / f^3 */
constexpr float log_p[9] = {0x1.555548p-2f, -0x1.000006p-2f, 0x1.99a4b6p-3f, -0x1.555c4ep-3f, 0x1.23376cp-3f,
                            -0x1.fc220ap-4f, 0x1.e6f03ap-4f, -0x1.de3bf4p-4f, 0x1.1457e6p-4f};
constexpr int32_t log_split = 0x3f3504f3;  // bits of sqrt(1/2)
constexpr float log_ln2_high = 0x1.63p-1f;  // 9 bits
constexpr float log_ln2_low = -0x1.bd0106p-13f;

constexpr float gelu_sqrt_half = 0x1.6a09e6p-1f;  // 1 / sqrt(2)
constexpr float gelu_density = 0x1.988454p-2f;    // 1 / sqrt(2 pi)
constexpr float gelu_k0 = 0x1.988454p-1f;         // sqrt(2 / pi)
constexpr float gelu_k1 = 0x1.6e4e26p-5f;         // 0.044715
constexpr float gelu_k3 = 0x1.12ba9ep-3f;         // 3 * 0.044715

}  // namespace panthalia::canon
