#include <filesystem>

#include "app/doctor/doctor.hpp"
#include "core/async/deadline.hpp"
#include "core/http/client.hpp"
#include "core/json/reader.hpp"

namespace postern::app::doctor {

namespace {

constexpr auto patience = std::chrono::seconds(5);

std::string text(const json::Value& value) {
    const auto got = value.string();
    return got ? std::string(*got) : std::string();
}

}  // namespace

std::optional<Running> ask_running(const std::string& data) {
    http::Target control;
    control.address = data + "/control.sock";
    control.host = "localhost";
    std::error_code none;
    if (!std::filesystem::exists(control.address, none)) return std::nullopt;
    http::Request request;
    request.method = http::Method::get;
    request.path = request.target = "/api/postern/v1/server";
    const http::ClientLimits limits;
    const auto answer = core::run_to_end(http::fetch(std::move(control), std::move(request), limits, core::deadline_in(patience)));
    if (!answer || answer->status != 200) return std::nullopt;
    const auto document = json::Document::parse(answer->body);
    if (!document) return std::nullopt;
    const auto root = document->root();
    Running out;
    out.config_file = text(root["configFile"]);
    out.store = text(root["storeUrl"]);
    if (auto shown = text(root["store"]); shown.starts_with("sqlite:")) out.store = std::move(shown);
    const auto lab = root["lab"].boolean();
    out.lab = lab && *lab;
    const auto listeners = root["listeners"];
    for (const auto& [name, into] : {std::pair("https", &out.https), std::pair("est", &out.est), std::pair("http", &out.http),
                                     std::pair("management", &out.management)}) {
        const auto address = Address::parse(text(listeners[name]));
        if (!address) return std::nullopt;
        *into = *address;
    }
    return out;
}

}  // namespace postern::app::doctor
