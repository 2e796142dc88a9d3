#include <boost/test/unit_test.hpp>
#include <future>
#include <thread>

#include "core/async/cpu_pool.hpp"
#include "core/async/shards.hpp"
#include "core/async/task_group.hpp"

using namespace postern::core;

namespace {

Task<std::thread::id> where_it_ran(CpuPool& pool) {
    auto work = [] { return std::this_thread::get_id(); };
    auto result = co_await pool.run(work);
    co_return result.value();
}

Task<Result<int>> throwing(CpuPool& pool) {
    auto work = []() -> int { throw std::runtime_error("broken on purpose"); };
    auto result = co_await pool.run(work);
    co_return result;
}

Task<Result<int>> refusing(CpuPool& pool) {
    auto work = []() -> Result<int> { return Problem(ProblemKind::bad_csr, "refused on purpose"); };
    auto result = co_await pool.run(work);
    co_return result;
}

Task<Result<void>> nothing(CpuPool& pool) {
    auto work = [] {};
    auto result = co_await pool.run(work);
    co_return result;
}

/// On another thread than the case, where Boost.Test must not be called.
Task<void> hold(CpuPool& pool, std::promise<void>& begun, std::shared_future<void> release, bool& held) {
    auto work = [&begun, release] {
        begun.set_value();
        release.wait();
    };
    auto result = co_await pool.run(std::move(work));
    held = result.has_value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(async_cpu_pool)

BOOST_AUTO_TEST_CASE(work_runs_on_another_thread) {
    CpuPool pool(1, 4);
    BOOST_TEST((run_to_end(where_it_ran(pool)) != std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_work_comes_back) {
    CpuPool pool(1, 4);
    BOOST_CHECK_THROW(run_to_end(throwing(pool)), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_result_of_the_work_is_not_wrapped_again) {
    CpuPool pool(1, 4);
    const auto result = run_to_end(refusing(pool));
    BOOST_REQUIRE(!result);
    BOOST_TEST(result.error().detail == "refused on purpose");
}

BOOST_AUTO_TEST_CASE(a_full_pool_answers_unavailable_at_once_and_recovers) {
    CpuPool pool(1, 1);
    Shards shards(1);
    shards.start();
    TaskGroup group([](std::string_view what) { BOOST_ERROR(std::string(what)); });
    std::promise<void> begun;
    std::promise<void> release;
    bool held = false;
    group.spawn(shards.executor(0), hold(pool, begun, release.get_future().share(), held));
    begun.get_future().wait();
    const auto full = run_to_end(nothing(pool));
    release.set_value();
    BOOST_REQUIRE(!full);
    BOOST_TEST((full.error().kind == ProblemKind::unavailable));
    BOOST_TEST(full.error().retry_after.has_value());
    BOOST_TEST(run_to_end(group.drained(deadline_in(std::chrono::seconds(60)))));
    BOOST_TEST(held);
    BOOST_TEST(run_to_end(nothing(pool)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
