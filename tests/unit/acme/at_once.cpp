#include "tests/unit/acme/at_once.hpp"

namespace postern::test {

namespace {

core::Task<void> send_one(World& world, http::Request request, std::vector<Answer>& answers) {
    auto response = co_await world.router.handle(std::move(request));
    answers.emplace_back(std::move(response));
}

}  // namespace

std::vector<Answer> all_at_once(World& world, std::vector<http::Request> requests) {
    std::vector<Answer> answers;
    const auto expected = requests.size();
    for (auto& request : requests)
        boost::asio::co_spawn(world.io, send_one(world, std::move(request), answers), [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    while (answers.size() < expected) world.io.run_one();
    return answers;
}

}  // namespace postern::test
