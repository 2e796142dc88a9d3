// The one unit that compiles the separable parts of Asio's TLS context; plain Asio has its own in
// core/async, so that rooms without HTTP need no TLS library.
#include <boost/asio/ssl/impl/src.hpp>
