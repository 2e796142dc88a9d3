#pragma once
#include <atomic>

#include "core/http/router.hpp"

namespace postern::app {

class House;

/// GET /healthz (the process answers), /readyz (200 once every listener accepts and the store
/// answers, else 503 with the reason), /metrics.
void add_management_routes(http::Router& router, House& house, const std::atomic<bool>& ready);

}  // namespace postern::app
