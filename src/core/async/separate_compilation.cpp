// The one unit that compiles Asio's separable parts; TLS and Beast have theirs in core/http.
#include <boost/asio/impl/src.hpp>
