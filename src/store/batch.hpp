#pragma once
#include <string>
#include <vector>

#include "store/statement.hpp"
#include "store/value.hpp"

namespace postern::store {

/// What a statement of a batch must do. `one`: change exactly one row, or, for a SELECT, return
/// exactly one (a guard on a version). `any`: whatever it finds.
enum class Expect { one, any };

/// A write unit: all or nothing. Nothing that is read inside decides a write, so no transaction is
/// ever open across a suspension, and SQLite's writer and libpq's pipeline run the same thing.
class Batch {
public:
    struct Step {
        Step(const Statement& s, Values v, Expect e) : statement(&s), parameters(std::move(v)), expect(e) {}
        const Statement* statement;
        Values parameters;
        Expect expect;
    };
    Batch() = default;
    Batch& add(const Statement& statement, Values parameters, Expect expect = Expect::one) {
        steps_.emplace_back(statement, std::move(parameters), expect);
        return *this;
    }
    /// Appends the steps of another batch.
    Batch& append(Batch other);
    /// For rows that a crash of the database may take (tables that are not logged): no commit waits for the
    /// disk, and after a broken connection it is sent once more without asking what became of it, so what
    /// it does must do no harm when it was done already. SQLite makes no difference.
    Batch& transient() {
        transient_ = true;
        return *this;
    }
    [[nodiscard]] bool is_transient() const noexcept { return transient_; }
    [[nodiscard]] const std::vector<Step>& steps() const noexcept { return steps_; }
    [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

private:
    std::vector<Step> steps_;
    bool transient_ = false;
};

/// Why a batch did not happen, for the caller to tell a lost race from a duplicate.
struct Conflict {
    Conflict() = default;
    /// referenced: a foreign key forbids it; a row still needs the one to be deleted.
    enum class Kind { expectation, duplicate, referenced };
    Kind kind = Kind::expectation;
    const Statement* statement = nullptr;
};
/// For logs: "order_claim did not meet exactly one row".
std::string to_string(const Conflict& conflict);

}  // namespace postern::store
