#pragma once
#include <span>
#include <string_view>

namespace postern::ra::documents {

enum class KeyType { text, flag, number, duration, list };

/// One key of a document. Stored keys go into the body as canonical JSON in the schema's order;
/// references name another object and become a column.
struct Key {
    std::string_view name;
    KeyType type;
    bool required = false;
    std::string_view refers_to = {};  ///< kind of the object named, in the same tenant
    bool column = false;              ///< a column of its own, in the order of the kind's statements; not in the body
};

struct Kind {
    std::string_view name;
    std::span<const Key> keys;
};

/// Keys of a backend's body that only who may have programs run reads (principals.hpp).
std::span<const std::string_view> hidden_keys() noexcept;

/// In the order in which objects can be made: what is referred to comes first.
std::span<const Kind> kinds() noexcept;

}  // namespace postern::ra::documents
