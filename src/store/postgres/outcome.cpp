#include "store/postgres/pool.hpp"

/// What becomes of a call once the server answered, or the connection broke before it did.
namespace postern::store::postgres {

namespace {

/// Whole batches that did not happen, and reads: so often after the first time.
constexpr int tries_more = 3;
/// Between two questions for one outcome, and before the first: a session that broke ends in that time mostly.
constexpr std::chrono::milliseconds settle_pause(20);

std::string name_of(const Job& job, std::size_t step) {
    const auto& steps = job.batch.steps();
    return step < steps.size() ? std::string(steps[step].statement->name) : "a batch";
}

}  // namespace

void Pool::answered(Connection& connection, JobPtr job) {
    heard_ = std::chrono::steady_clock::now();
    condition_.answered(false);
    if (job->failure) {
        deliver(std::move(job));
    } else if (job->stage == Job::Stage::settle) {
        settled(connection, std::move(job));
    } else if (job->refusal) {
        refused(connection, std::move(job));
    } else if (connection.read_only() && !job->writes()) {
        // Somebody else takes the writes now; what was read may be old.
        again(std::move(job), "store: the session became one that may not write");
    } else {
        if (job->writes()) {
            metrics_.commits.add();
            metrics_.seconds.observe(std::chrono::duration<double>(heard_ - job->sent).count());
            condition_.answered(true);
        }
        deliver(std::move(job));
    }
    if (connection.open() && connection.read_only()) drop(connection, "the session became one that may not write");
    send_waiting();
}

void Pool::refused(Connection& connection, JobPtr job) {
    const Refusal refusal = *job->refusal;
    const std::string why = "store: " + name_of(*job, refusal.step) + ": " + refusal.message + " (" + refusal.sqlstate + ")";
    Conflict conflict;
    Meaning meaning = meaning_of(refusal.sqlstate);
    if (!job->writes() && meaning <= Meaning::referenced) meaning = Meaning::bug;
    switch (meaning) {
        case Meaning::expectation: conflict.kind = Conflict::Kind::expectation; break;
        case Meaning::duplicate: conflict.kind = Conflict::Kind::duplicate; break;
        case Meaning::referenced: conflict.kind = Conflict::Kind::referenced; break;
        case Meaning::again: return again(std::move(job), why);
        case Meaning::elsewhere:
            drop(connection, refusal.message);
            return again(std::move(job), why);
        case Meaning::unavailable:
            // A lock that was held for long, or a cancelled statement, says nothing about the next write.
            if (job->writes() && refusal.sqlstate != "57014" && refusal.sqlstate != "55P03") condition_.set_trouble(why, false);
            return fail(std::move(job), why);
        case Meaning::bug:
            job->failure = std::make_exception_ptr(std::logic_error(why));
            return deliver(std::move(job));
    }
    conflict.statement = job->batch.steps().at(refusal.step).statement;
    job->written = conflict;
    deliver(std::move(job));
}

/// After a connection broke under a job.
void Pool::recover(JobPtr job, const std::string& why) {
    if (!job->writes() || job->batch.is_transient()) return again(std::move(job), why);
    if (job->stage == Job::Stage::run) {
        job->stage = Job::Stage::settle;
        // A server has to be found, and the broken session's transaction may run on for its timeout.
        job->until = core::deadline_in(settings_.connect_deadline + settings_.statement_timeout + settings_.wait);
    }
    settle(std::move(job), why);
}

/// Asks for the outcome, as long as there is time.
void Pool::settle(JobPtr job, const std::string& why) {
    if (std::chrono::steady_clock::now() < job->until) return later(std::move(job), settle_pause);
    settled_unknown_.add();
    fail(std::move(job), why + "; whether the batch was committed is unknown");
}

void Pool::settled(Connection& connection, JobPtr job) {
    if (job->refusal) {
        // The broken session still works on it, or this server is the wrong one.
        if (meaning_of(job->refusal->sqlstate) == Meaning::elsewhere) drop(connection, job->refusal->message);
        const std::string why = "store: " + job->refusal->message;
        settle(std::move(job), why);
    } else if (job->never_committed) {
        settled_not_.add();
        job->stage = Job::Stage::run;
        again(std::move(job), "store: the connection broke before the batch was committed");
    } else {
        settled_committed_.add();
        metrics_.commits.add();
        deliver(std::move(job));
    }
}

/// Only what surely did not happen comes here, or may happen twice.
void Pool::again(JobPtr job, const std::string& why) {
    if (++job->tries > tries_more) return fail(std::move(job), why + "; given up after " + std::to_string(job->tries) + " tries");
    retries_.add();
    // Apart from whoever it lost against, the further the more often.
    const std::chrono::microseconds delay(std::uniform_int_distribution<std::int64_t>(1000, 5000 << job->tries)(jitter_));
    job->until = std::chrono::steady_clock::now() + delay + settings_.wait;
    later(std::move(job), delay);
}

void Pool::later(JobPtr job, std::chrono::microseconds delay) {
    auto timer = std::make_shared<boost::asio::steady_timer>(context_, delay);
    timer->async_wait([self = shared_from_this(), timer, waiting = std::move(job)](const boost::system::error_code&) mutable { self->place(std::move(waiting)); });
}

}  // namespace postern::store::postgres
