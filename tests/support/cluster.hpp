#pragma once
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>
#include <string>

namespace postern::test {

/// A PostgreSQL cluster that a case may restart, crash, copy and fail over: conformance/harness through
/// tests/support/cluster.py.
class Cluster {
public:
    struct Place {
        std::string folder;  ///< of the Unix socket, the root of its certificate ("root.pem")
        std::string port;
    };

    Cluster() {
        int to[2], from[2];
        if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(to[0], STDIN_FILENO);
            ::dup2(from[1], STDOUT_FILENO);
            ::execl("/usr/bin/python3", "python3", POSTERN_SOURCE_DIR "/tests/support/cluster.py", nullptr);
            ::_exit(127);
        }
        ::close(to[0]);
        ::close(from[1]);
        commands_ = to[1];
        answers_ = from[0];
        primary_ = place(line());
    }
    ~Cluster() {
        ::close(commands_);
        ::close(answers_);
        int status = 0;
        ::waitpid(pid_, &status, 0);
    }
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    [[nodiscard]] const Place& primary() const noexcept { return primary_; }
    /// The answer; throws where the helper failed, which has said why on standard error.
    std::string command(const std::string& what) {
        const std::string text = what + "\n";
        if (::write(commands_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw std::runtime_error("the cluster's helper ended");
        return line();
    }
    static Place place(const std::string& text) {
        Place out;
        std::istringstream(text) >> out.folder >> out.port;
        return out;
    }
    /// A superuser's, over the Unix socket.
    static std::string url(const Place& at) { return "postgres://postgres@/postgres?host=" + at.folder + "&port=" + at.port; }

private:
    std::string line() {
        std::string out;
        for (char c = 0; ::read(answers_, &c, 1) == 1;) {
            if (c == '\n') return out;
            out.push_back(c);
        }
        throw std::runtime_error("the cluster's helper ended");
    }

    pid_t pid_ = -1;
    int commands_ = -1, answers_ = -1;
    Place primary_;
};

}  // namespace postern::test
