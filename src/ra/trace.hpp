#pragma once
#include <string>
#include <vector>

namespace postern::ra {

enum class Verdict { pass, refuse, needs_approval };
std::string_view to_string(Verdict v) noexcept;

struct TraceEntry {
    TraceEntry() = default;
    TraceEntry(std::string c, std::string i, Verdict v, std::string r)
        : check(std::move(c)), input(std::move(i)), verdict(v), reason(std::move(r)) {}
    std::string check;   ///< "names.scope"
    std::string input;   ///< what it looked at
    Verdict verdict = Verdict::pass;
    std::string reason;  ///< why; empty for a plain pass
};

/// Every check of one request in order: what `postern explain` prints.
class Trace {
public:
    Trace() = default;
    void add(TraceEntry entry);
    [[nodiscard]] const std::vector<TraceEntry>& entries() const noexcept { return entries_; }
    /// The first entry that wants an officer's yes; null: none does.
    [[nodiscard]] const TraceEntry* needs_approval() const noexcept;
    /// JSON array of {check, input, verdict, reason}.
    [[nodiscard]] std::string to_json() const;

private:
    std::vector<TraceEntry> entries_;
};

}  // namespace postern::ra
