#include "engine/philox.h"

#include <bit>
#include <cmath>

#include "engine/exact_arithmetic.h"

namespace panthalia {
namespace {

/** Natural logarithm of x in (0, 1], by x = mantissa * 2^exponent and the series of 2 atanh((mantissa - 1) / (mantissa + 1)).
 *  libm's log differs between systems in the last bit; this one can not. */
double fixed_log(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    exponent += 1;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0);  // |s| < 0.172: ten terms reach 1e-17
  const double square = s * s;
  double series = 0.0;
  for (int odd = 21; odd >= 1; odd -= 2) series = series * square + 1.0 / odd;
  return exponent * 0.6931471805599453 + 2.0 * s * series;
}

template <size_t Terms>
double horner(const double (&coefficients)[Terms], double x) {
  double sum = 0.0;
  for (size_t i = Terms; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

// AS 241: numerators and denominators, constant term first. Its third pair is for r > 5: no word is so far out.
constexpr double centre_over[] = {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                  1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                  3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr double centre_under[] = {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
                                   2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
                                   5.2264952788528545610e+3};
constexpr double middle_over[] = {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                                  3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                                  2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double middle_under[] = {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
                                   1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

double normal_from_word(uint32_t word) {
  const double uniform = (static_cast<double>(word) + 0.5) * 0x1p-32;
  const double q = uniform - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * horner(centre_over, r) / horner(centre_under, r);
  }
  const double r = std::sqrt(-fixed_log(q < 0 ? uniform : 1.0 - uniform));  // 4.783 at most, from a tail of 2^-33
  const double magnitude = horner(middle_over, r - 1.6) / horner(middle_under, r - 1.6);
  return q < 0 ? -magnitude : magnitude;
}

}  // namespace panthalia
