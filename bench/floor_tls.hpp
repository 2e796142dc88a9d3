#pragma once

namespace postern::bench {

/// CPU microseconds that the server side of one full TLS 1.3 handshake costs with P-256
/// certificates, over memory buffers: no sockets. `mutual`: a client certificate is asked for and
/// checked against its CA.
double server_handshake_us(bool mutual);

}  // namespace postern::bench
