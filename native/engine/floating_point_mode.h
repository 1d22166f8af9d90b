// The state of a thread that decides how its arithmetic rounds.
#pragma once

namespace panthalia {

/** The calling thread must round to nearest, keep subnormals and mask all exceptions, as every thread does unless
 *  somebody changed it. A library loaded into the process can: older compilers link code that does with -ffast-math.
 *  throws EngineError VALUE_OUT_OF_RANGE */
void check_floating_point_mode();

}  // namespace panthalia
