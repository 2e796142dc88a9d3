#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task.hpp"
#include "store/postgres/libpq.hpp"
#include "store/value.hpp"

namespace postern::store::postgres {

/// Whether a wait should end early: the adapter is being closed.
using Stopped = std::function<bool()>;

/// Where and as whom to connect. libpq would wait for a host that swallows packets as long as TCP does, so
/// the hosts of a URL are tried one by one, each with a deadline of its own.
class Target {
public:
    /// Throws std::runtime_error, without the URL's text: it holds a password.
    explicit Target(const std::string& url);

    [[nodiscard]] std::size_t hosts() const noexcept { return hosts_.size(); }
    /// "postgresql://user@host:5432,other/database"
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// A connection that may write. Blocks; names are resolved as long as the system's resolver takes.
    /// Throws StoreUnavailable.
    [[nodiscard]] Handle connect(std::size_t host, core::Deadline deadline, const Stopped& stopped) const;

private:
    using Options = std::vector<std::pair<std::string, std::string>>;
    std::vector<Options> hosts_;
    std::string text_;
};

/// Sends one statement, or with no parameters a script, and waits for its last result. For a connection
/// that nobody else uses and that is in no pipeline. Text results. Throws StoreUnavailable when the
/// connection breaks or the deadline passes; a refusal by the server is a result.
Result query(PGconn* connection, const std::string& sql, const std::vector<std::string>& parameters,
             core::Deadline deadline, const Stopped& stopped);

}  // namespace postern::store::postgres
