#include "store/postgres/connection.hpp"

#include <poll.h>

#include <boost/asio/post.hpp>

namespace postern::store::postgres {

namespace {

/// A connection forgets the marks of batches that were answered, so many at a time.
constexpr std::int64_t marks_kept = 256;

constexpr Statement mark_insert{"write_mark_insert", "INSERT INTO write_mark (session, number) VALUES ($1, $2)"};
/// Whose row it is shows in its time, so that the question can be asked again after its answer was lost: a
/// question's lies a thousand years ahead (`mark_forget_old`). The row of a batch is updated,
/// not only seen: "committed" is then answered behind the flush, and the standby, that the batch waited for.
constexpr Statement mark_settle{
    "write_mark_settle", "INSERT INTO write_mark (session, number, made) VALUES ($1, $2, now() + interval '1000 years') "
                         "ON CONFLICT (session, number) DO UPDATE SET made = write_mark.made "
                         "RETURNING made > now() + interval '500 years'"};
constexpr Statement mark_forget{"write_mark_forget", "DELETE FROM write_mark WHERE session = $1 AND number <= $2"};

/// Of sessions that ended: each leaves the few that it had not forgotten yet, and what was asked about them. No lock is
/// waited for, since it rides on somebody's batch.
constexpr Statement mark_forget_old{
    "write_mark_forget_old", "DELETE FROM write_mark WHERE (session, number) IN (SELECT session, number FROM write_mark WHERE made < now() - interval '1 day' "
                             "OR made BETWEEN now() + interval '500 years' AND now() + interval '1000 years' - interval '1 day' FOR UPDATE SKIP LOCKED)"};
/// A connection does so each so many times that it forgets its own.
constexpr std::int64_t old_every = 16;

std::string_view text_of(const Statement& s) noexcept { return s.postgres.empty() ? s.sql : s.postgres; }

bool only_reads(std::string_view sql) noexcept { return sql.starts_with("SELECT ") || sql.starts_with("WITH "); }

/// Such an INSERT adds its row or fails.
bool surely_one(std::string_view sql) noexcept {
    return sql.starts_with("INSERT ") && sql.find(" VALUES (") != std::string_view::npos &&
           sql.find(" ON CONFLICT") == std::string_view::npos;
}

}  // namespace

std::string guarded_text(const Statement& statement) {
    const std::string_view sql = text_of(statement);
    if (surely_one(sql)) return std::string(sql);
    const std::string returning = sql.starts_with("SELECT ") ? "" : " RETURNING 1";
    return "WITH g AS (" + std::string(sql) + returning + ") SELECT expect_one(count(*)) FROM g";
}

Connection::Connection(boost::asio::io_context& context, Handle handle, std::int64_t session, Owner& owner)
    : owner_(owner), handle_(std::move(handle)), socket_(context, PQsocket(handle_.get())), session_(session) {
    // libpq would print them.
    PQsetNoticeProcessor(
        handle_.get(),
        [](void* self, const char* message) { static_cast<Connection*>(self)->last_words_ = one_line(message); }, this);
}

Connection::~Connection() { close(); }

void Connection::close() noexcept {
    if (!handle_) return;
    socket_.release();  // cancels; the descriptor is libpq's
    handle_.reset();
}

bool Connection::read_only() const noexcept {
    for (const char* name : {"default_transaction_read_only", "in_hot_standby"}) {
        const char* value = PQparameterStatus(handle_.get(), name);
        if (value != nullptr && std::string_view(value) == "on") return true;
    }
    return false;
}

void Connection::send(JobPtr& job) {
    // All of it before any of it: half a batch could not be taken back.
    if (!job->writes() && !only_reads(text_of(*job->batch.steps().front().statement))) {
        throw std::logic_error("store: " + std::string(job->batch.steps().front().statement->name) + " writes; it belongs into a batch");
    }
    for (const auto& step : job->batch.steps()) check_values(step.statement->name, step.parameters);
    job->refusal.reset();
    job->rows.clear();
    job->sent = std::chrono::steady_clock::now();
    if (jobs_.empty()) working_since_ = job->sent;
    if (job->stage == Job::Stage::settle) send_settling(*job);
    else if (job->writes()) send_batch(*job);
    else send_read(*job);
    if (job->writes()) ++writing_;
    sync(Part::Kind::sync);
    jobs_.push_back(std::move(job));
    flush();
}

void Connection::send_read(const Job& job) {
    const auto& step = job.batch.steps().front();
    run(*step.statement, Expect::any, step.parameters, Part::Kind::step, 0);
}

void Connection::send_batch(Job& job) {
    const auto& steps = job.batch.steps();
    // The mark is a logged row: without it, the server has nothing to force to the disk.
    if (job.batch.is_transient()) {
        for (const auto& step : steps) prepared(*step.statement, step.expect);
        for (std::size_t i = 0; i < steps.size(); ++i) run(*steps[i].statement, steps[i].expect, steps[i].parameters, Part::Kind::step, i);
        return;
    }
    // Preparing has Syncs of its own, and those end a transaction: all of it comes before.
    prepared(mark_insert, Expect::any);
    prepared(mark_forget, Expect::any);
    prepared(mark_forget_old, Expect::any);
    for (const auto& step : steps) prepared(*step.statement, step.expect);
    job.mark.session = session_;
    job.mark.number = next_mark_++;
    const Values mark = values(job.mark.session, job.mark.number);
    run(mark_insert, Expect::any, mark, Part::Kind::aside, 0);
    for (std::size_t i = 0; i < steps.size(); ++i) run(*steps[i].statement, steps[i].expect, steps[i].parameters, Part::Kind::step, i);
    forget_marks();
}

void Connection::send_settling(const Job& job) {
    const Values mark = values(job.mark.session, job.mark.number);
    run(mark_settle, Expect::any, mark, Part::Kind::step, 0);
}

/// What was answered on this connection will not be asked for.
void Connection::forget_marks() {
    if (settled_mark_ - forgotten_mark_ < marks_kept) return;
    forgotten_mark_ = settled_mark_;
    const Values until = values(session_, settled_mark_);
    run(mark_forget, Expect::any, until, Part::Kind::aside, 0);
    const Values none;
    if (forgot_++ % old_every == 0) run(mark_forget_old, Expect::any, none, Part::Kind::aside, 0);
}

void Connection::run(const Statement& statement, Expect expect, const Values& values, Part::Kind kind, std::size_t step) {
    Prepared& form = prepared(statement, expect);
    parameters_.set(values);
    constexpr int binary = 1;
    if (PQsendQueryPrepared(handle_.get(), form.name.c_str(), parameters_.count(), parameters_.texts(), parameters_.lengths(),
                            parameters_.formats(), binary) == 0) {
        broken_send_ = true;
    }
    parts_.emplace_back(kind, &form, step);
}

Connection::Prepared& Connection::prepared(const Statement& statement, Expect expect) {
    const bool guard = expect == Expect::one;
    auto& cache = guard ? guarded_ : plain_;
    const auto [found, fresh] = cache.try_emplace(text_of(statement).data());
    Prepared& form = found->second;
    if (!fresh && !form.refusal) return form;
    if (fresh) form.name = (guard ? "g" : "s") + std::to_string(cache.size());
    form.refusal.reset();
    const std::string sql = guard ? guarded_text(statement) : std::string(text_of(statement));
    if (PQsendPrepare(handle_.get(), form.name.c_str(), sql.c_str(), 0, nullptr) == 0) broken_send_ = true;
    parts_.emplace_back(Part::Kind::prepare, &form);
    sync(Part::Kind::prepare_sync);
    return form;
}

void Connection::sync(Part::Kind kind) {
    // After a step that could not be sent, it would commit the steps before.
    if (broken_send_ || PQpipelineSync(handle_.get()) == 0) broken_send_ = true;
    parts_.emplace_back(kind);
}

void Connection::flush() {
    if (broken_send_) {
        // Whoever sends must not lose the connection under its hands.
        boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
            if (self->open()) self->fail(one_line(PQerrorMessage(self->handle_.get())));
        });
        return;
    }
    if (flushing_) return;
    const int left = PQflush(handle_.get());
    if (left < 0) {
        broken_send_ = true;
        flush();
    } else if (left > 0) {
        flushing_ = true;
        socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                           [self = shared_from_this()](const boost::system::error_code&) {
                               if (!self->open()) return;
                               self->flushing_ = false;
                               self->flush();
                           });
    }
}

/// Always waiting, so that the end of an idle session is noticed as well.
void Connection::receive() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code&) {
                           if (!self->open()) return;
                           const bool alive = self->consume();
                           if (!self->open()) return;
                           if (!alive || PQstatus(self->handle_.get()) == CONNECTION_BAD) {
                               self->fail(one_line(PQerrorMessage(self->handle_.get())));
                           } else {
                               self->receive();
                           }
                       });
}

/// False: the connection broke.
bool Connection::consume() {
    bool alive = PQconsumeInput(handle_.get()) != 0;
    process();
    // A TLS record that libpq had room for a part of does not make the socket readable again. One more read than
    // the socket has data for takes in the rest.
    bool readable = true;
    while (alive && readable && open() && PQsslInUse(handle_.get()) != 0 && !parts_.empty()) {
        pollfd fd{PQsocket(handle_.get()), POLLIN, 0};
        readable = ::poll(&fd, 1, 0) > 0;
        alive = PQconsumeInput(handle_.get()) != 0;
        process();
    }
    return alive;
}

void Connection::process() {
    int idle_turns = 0;
    // Asked also when nothing is under way: it takes in notices and changed parameters.
    while (open() && PQisBusy(handle_.get()) == 0 && !parts_.empty()) {
        const Result result(PQgetResult(handle_.get()));
        idle_turns = result ? 0 : idle_turns + 1;
        if (idle_turns > 2) return;  // a connection that broke has no more to say
        take_result(result.get());
    }
}

void Connection::take_result(const PGresult* result) {
    const Part part = parts_.front();
    const bool at_sync = part.kind == Part::Kind::sync || part.kind == Part::Kind::prepare_sync;
    if (result == nullptr) {
        if (!at_sync) parts_.pop_front();
        return;
    }
    const auto status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) {
        parts_.pop_front();
        if (part.kind == Part::Kind::sync) finish_job();
    } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        if (part.kind == Part::Kind::step) rows_of(*jobs_.front(), result);
    } else if (status != PGRES_PIPELINE_ABORTED) {
        refused(part, result);
    }
}

void Connection::rows_of(Job& job, const PGresult* result) {
    if (job.stage == Job::Stage::settle) {
        job.never_committed = PQntuples(result) == 1 && PQgetlength(result, 0, 0) == 1 && *PQgetvalue(result, 0, 0) == 1;
    } else if (!job.writes()) {
        try {
            append_rows(result, job.batch.steps().front().statement->name, job.rows);
        } catch (const std::logic_error&) {
            job.failure = std::current_exception();
        }
    }
}

void Connection::refused(const Part& part, const PGresult* result) {
    Refusal refusal(result);
    if (part.kind == Part::Kind::prepare) {
        part.prepared->refusal = std::move(refusal);
        return;
    }
    if (refusal.sqlstate.empty() || refusal.sqlstate.starts_with("57P")) last_words_ = refusal.message;
    Job& job = *jobs_.front();
    if (job.refusal) return;
    if (refusal.sqlstate == "26000" && part.prepared != nullptr && part.prepared->refusal) refusal = *part.prepared->refusal;
    // The adapter's own rows are no conflict of the caller's.
    if (part.kind == Part::Kind::aside && meaning_of(refusal.sqlstate) != Meaning::again &&
        meaning_of(refusal.sqlstate) != Meaning::elsewhere) {
        refusal.sqlstate = "XX000";
    }
    // What only the commit finds (a deferred constraint) is told of the last step.
    refusal.step = part.kind == Part::Kind::sync && !job.batch.empty() ? job.batch.steps().size() - 1 : part.step;
    job.refusal = std::move(refusal);
}

void Connection::finish_job() {
    JobPtr job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job->writes()) {
        --writing_;
        if (job->stage == Job::Stage::run && job->mark.number > 0) settled_mark_ = job->mark.number;
    }
    working_since_ = std::chrono::steady_clock::now();
    owner_.answered(*this, std::move(job));
}

void Connection::fail(std::string why) {
    if (!last_words_.empty()) why = last_words_;
    close();
    owner_.lost(*this, why);
}

}  // namespace postern::store::postgres
