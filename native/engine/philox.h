// Our own counter-based generator: the same bits on every machine, any element without its predecessors.
// Not torch's: normal_() depends on the instruction set.
#pragma once

#include <array>
#include <cstdint>

namespace panthalia {

/** Philox4x32-10.  source: Salmon et al. 2011 (SC11), random123 philox.h */
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/** The quantile of the standard normal at (word + 1/2) / 2^32, in double, by IEEE +, -, *, / and sqrt alone.
 *  source: Wichura 1988, algorithm AS 241 (PPND16), with our own logarithm in its tails */
double normal_from_word(uint32_t word);

}  // namespace panthalia
