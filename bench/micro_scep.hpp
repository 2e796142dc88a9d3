#pragma once

namespace postern::bench {

/// What the messages of one SCEP enrollment cost with RSA-2048 keys of device, RA and CA, stage by stage,
/// beside the keys' own operations in it.
void measure_scep();

}  // namespace postern::bench
