#include "ra/trace.hpp"

#include <algorithm>

#include "core/json/writer.hpp"

namespace postern::ra {

std::string_view to_string(Verdict v) noexcept {
    switch (v) {
        case Verdict::pass: return "pass";
        case Verdict::refuse: return "refuse";
        case Verdict::needs_approval: return "needs_approval";
    }
    return "refuse";
}

void Trace::add(TraceEntry entry) {
    constexpr std::size_t usual = 40;  // entries of one request
    if (entries_.empty()) entries_.reserve(usual);
    entries_.push_back(std::move(entry));
}

const TraceEntry* Trace::needs_approval() const noexcept {
    const auto found = std::ranges::find(entries_, Verdict::needs_approval, &TraceEntry::verdict);
    return found == entries_.end() ? nullptr : &*found;
}

std::string Trace::to_json() const {
    json::Writer w;
    w.begin_array();
    for (const auto& e : entries_) {
        w.begin_object().member("check", e.check).member("input", e.input).member("verdict", to_string(e.verdict));
        if (!e.reason.empty()) w.member("reason", e.reason);
        w.end_object();
    }
    w.end_array();
    return w.take();
}

}  // namespace postern::ra
