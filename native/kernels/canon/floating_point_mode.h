// The state of a thread that decides how its arithmetic rounds.
#pragma once

namespace panthalia::canon {

/** The calling thread must round to nearest, keep subnormals and mask all exceptions, as every thread does that nobody has
 *  changed. A library loaded into the process can change it: older compilers link code that does so with -ffast-math.
 *  throws EngineError VALUE_OUT_OF_RANGE */
void check_floating_point_mode();

}  // namespace panthalia::canon
