#pragma once
#include <boost/test/unit_test.hpp>

#include "tests/unit/acme/world.hpp"

namespace postern::test {

/// A client with an account, and words for what it does with challenges.
struct Challenges {
    Challenges() { client.register_account(); }

    static std::string location(const Answer& answer) { return std::string(answer.response.header("Location")); }
    Answer order(const std::string& identifiers) { return client.post(client.url("new-order"), R"({"identifiers":[)" + identifiers + "]}"); }
    static std::string dns(const std::string& name) { return R"({"type":"dns","value":")" + name + "\"}"; }
    static std::string ip(const std::string& text) { return R"({"type":"ip","value":")" + text + "\"}"; }
    std::vector<std::string> offered(const Answer& order, std::size_t name = 0) {
        const auto authorization = client.post(order.list("authorizations").at(name), "");
        std::vector<std::string> methods;
        for (const auto& challenge : authorization.document->root()["challenges"].items()) methods.emplace_back(challenge["type"].string().value());
        return methods;
    }
    /// The URL of the order's challenge of that type.
    std::string challenge(const Answer& order, std::string_view type, std::size_t name = 0) {
        const auto authorization = client.post(order.list("authorizations").at(name), "");
        for (const auto& each : authorization.document->root()["challenges"].items())
            if (each["type"].string().value() == type) return std::string(each["url"].string().value());
        BOOST_FAIL("no challenge " << type);
        return {};
    }
    std::string detail(const Answer& challenge) { return std::string(challenge.document->root()["error"]["detail"].string().value()); }
    /// Lets what was started in the background go on until the challenge has that status.
    Answer until(const std::string& url, std::string_view status) {
        for (int i = 0; i < 10'000; ++i) {
            auto read = client.post(url, "");
            if (read.text("status") == status) return read;
            world.io.poll_one();
        }
        BOOST_FAIL("never " << status);
        throw std::logic_error("unreachable");
    }

    /// Lets all that was started in the background come to its end.
    void finish() {
        while (world.tasks.size() > resident) world.io.run_one();
    }

    World world;
    const std::size_t resident = world.tasks.size();  ///< tasks that end with the world
    Client client{world, "open"};
    const crypto::PrivateKey key = crypto::PrivateKey::generate(crypto::KeySpec());
};

}  // namespace postern::test
