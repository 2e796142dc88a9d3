#include "store/postgres/target.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "store/database.hpp"

namespace postern::store::postgres {

namespace {

using Entries = std::vector<std::string>;

Entries split(const std::string& list) {
    Entries out;
    for (std::size_t from = 0;;) {
        const auto comma = list.find(',', from);
        out.push_back(list.substr(from, comma == std::string::npos ? comma : comma - from));
        if (comma == std::string::npos) return out;
        from = comma + 1;
    }
}

/// libpq quotes what it did not understand, and that may be the password, which may have quotes of its own.
std::string without_quotations(std::string_view message) {
    const auto first = message.find('"'), last = message.rfind('"');
    if (first == message.npos) return std::string(message);
    return std::string(message.substr(0, first)) + "\"…\"" + std::string(message.substr(last + 1));
}

struct FreeOptions {
    void operator()(PQconninfoOption* o) const noexcept { PQconninfoFree(o); }
};

/// What a URL leaves open. A dead peer is noticed within half a minute, also by an idle connection.
constexpr std::pair<const char*, const char*> defaults[] = {
    {"keepalives_idle", "10"}, {"keepalives_interval", "5"}, {"keepalives_count", "3"}, {"tcp_user_timeout", "15000"},
};

/// Whoever needs a database for itself finds running Posterns by this beginning (bulk.cpp), whatever a URL or the
/// environment (PGAPPNAME) calls them.
constexpr const char* our_name = "postern";

/// The n-th of a list that may be shorter: one entry counts for all hosts.
std::string nth(const Entries& list, std::size_t n) {
    if (list.empty()) return {};
    return list.size() == 1 ? list.front() : n < list.size() ? list[n] : std::string();
}

/// Waits in slices, so that a stop is heard.
void wait_for(PGconn* connection, bool to_write, core::Deadline deadline, const Stopped& stopped, const char* what) {
    constexpr std::chrono::milliseconds slice(50);
    for (;;) {
        if (stopped && stopped()) throw StoreUnavailable("store: closed");
        const auto left = deadline - std::chrono::steady_clock::now();
        if (left <= left.zero()) throw StoreUnavailable(std::string("store: the database did not answer in time while ") + what);
        pollfd fd{PQsocket(connection), static_cast<short>(to_write ? POLLOUT : POLLIN), 0};
        const auto ms = std::min(slice, std::chrono::ceil<std::chrono::milliseconds>(left));
        const int ready = ::poll(&fd, 1, static_cast<int>(ms.count()));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw StoreUnavailable("store: poll failed on a connection to the database");
    }
}

}  // namespace

std::string one_line(std::string_view message) {
    std::string out;
    for (const char c : message) {
        const bool space = c == '\n' || c == '\t' || c == '\r';
        if (!space) out.push_back(c);
        else if (!out.empty() && out.back() != ' ') out.push_back(' ');
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

Target::Target(const std::string& url) {
    char* error = nullptr;
    const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(url.c_str(), &error));
    if (!parsed) {
        const std::string why = error == nullptr ? "out of memory" : without_quotations(one_line(error));
        PQfreemem(error);
        throw std::runtime_error("the store's URL is not postgresql://user@host/database?option=value as libpq reads it "
                                 "(special characters of a password are written as %XX): " + why);
    }
    Options common;
    std::string user, database, names, addresses, ports, called = our_name;
    for (const auto* o = parsed.get(); o->keyword != nullptr; ++o) {
        if (o->val == nullptr) continue;
        const std::string key = o->keyword;
        if (key == "host") names = o->val;
        else if (key == "hostaddr") addresses = o->val;
        else if (key == "port") ports = o->val;
        else if (key == "application_name") called = our_name + (": " + std::string(o->val));
        else if (key != "target_session_attrs" && key != "client_encoding") common.emplace_back(key, o->val);
        if (key == "user") user = o->val;
        if (key == "dbname") database = o->val;
    }
    const auto given = [&](const char* key) {
        return std::any_of(common.begin(), common.end(), [key](const auto& pair) { return pair.first == key; });
    };
    Options more;
    for (const auto& [key, value] : defaults)
        if (!given(key)) more.emplace_back(key, value);
    common.insert(common.end(), more.begin(), more.end());
    common.emplace_back("target_session_attrs", "read-write");
    common.emplace_back("client_encoding", "UTF8");
    common.emplace_back("application_name", called);

    const Entries host_list = names.empty() ? Entries() : split(names);
    const Entries address_list = addresses.empty() ? Entries() : split(addresses);
    const Entries port_list = ports.empty() ? Entries() : split(ports);
    const auto count = std::max<std::size_t>({1, host_list.size(), address_list.size()});
    if ((host_list.size() > 1 && host_list.size() != count) || (address_list.size() > 1 && address_list.size() != count) ||
        (port_list.size() > 1 && port_list.size() != count)) {
        throw std::runtime_error("the store's URL names unequal numbers of hosts, addresses and ports");
    }
    text_ = "postgresql://" + user + (user.empty() ? "" : "@");
    for (std::size_t i = 0; i < count; ++i) {
        Options options = common;
        const auto host = nth(host_list, i), address = nth(address_list, i), port = nth(port_list, i);
        if (!host.empty()) options.emplace_back("host", host);
        if (!address.empty()) options.emplace_back("hostaddr", address);
        if (!port.empty()) options.emplace_back("port", port);
        hosts_.push_back(std::move(options));
        text_ += (i == 0 ? "" : ",") + (host.empty() ? address : host) + (port.empty() ? "" : ":" + port);
    }
    text_ += "/" + database;
}

Handle Target::connect(std::size_t host, core::Deadline deadline, const Stopped& stopped) const {
    std::vector<const char*> keys, values;
    for (const auto& [key, value] : hosts_.at(host)) {
        keys.push_back(key.c_str());
        values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    Handle handle(PQconnectStartParams(keys.data(), values.data(), 0));
    if (!handle) throw std::bad_alloc();
    auto state = PGRES_POLLING_WRITING;
    while (PQstatus(handle.get()) != CONNECTION_BAD && state != PGRES_POLLING_FAILED) {
        // The socket may be another one after each step.
        wait_for(handle.get(), state == PGRES_POLLING_WRITING, deadline, stopped, "connecting");
        state = PQconnectPoll(handle.get());
        if (state == PGRES_POLLING_OK) return handle;
    }
    throw StoreUnavailable("store: " + one_line(PQerrorMessage(handle.get())));
}

Result query(PGconn* connection, const std::string& sql, const std::vector<std::string>& parameters,
             core::Deadline deadline, const Stopped& stopped) {
    std::vector<const char*> values;
    for (const auto& p : parameters) values.push_back(p.c_str());
    const int sent = parameters.empty() ? PQsendQuery(connection, sql.c_str())
                                        : PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                                            values.data(), nullptr, nullptr, 0);
    const auto broken = [connection] { return StoreUnavailable("store: " + one_line(PQerrorMessage(connection))); };
    if (sent == 0) throw broken();
    Result last;
    for (;;) {
        while (PQisBusy(connection) != 0) {
            wait_for(connection, false, deadline, stopped, "preparing a connection");
            if (PQconsumeInput(connection) == 0) throw broken();
        }
        Result next(PQgetResult(connection));
        if (!next) break;
        // A script ends at its first error; that is the result to tell of.
        if (!last || PQresultStatus(last.get()) != PGRES_FATAL_ERROR) last = std::move(next);
    }
    if (PQstatus(connection) == CONNECTION_BAD || !last) throw broken();
    return last;
}

}  // namespace postern::store::postgres
