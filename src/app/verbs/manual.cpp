#include <iostream>

#include "app/verbs/grammar.hpp"
#include "app/verbs/verbs.hpp"
#include "app/version.hpp"

/// postern(1) in the man macros, written by the program itself: `postern manual`.
namespace postern::app::verbs {

namespace {

constexpr std::string_view before_verbs = R"(.SH NAME
postern \- certificate enrollment gateway
.SH SYNOPSIS
.B postern serve
.RI [ OPTION ...]
.br
.B postern
.I VERB
.RI [ SUBVERB ]
.RI [ OPTION ...]
.RI [ ARGUMENT ...]
.SH DESCRIPTION
.B postern serve
runs the server: enrollment protocols on one side, one registration authority in the middle, a
certification authority on the other. With nothing configured it makes a data folder, a private CA
and a default endpoint, and prints what clients need. The other verbs administer: over the control
socket of the server that runs on the data folder, over the network with
.BR \-\-server ,
or in process where no server runs.
.SH VERBS
)";

constexpr std::string_view after_verbs = R"(.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
refused or failed; the reason is on standard error
.TP
.B 2
the command line or the configuration file is wrong; nothing was begun (other values above 100: an
option of the command line is unknown or incomplete)
.TP
.B 74
.B postern serve
only: the disk failed to keep what it was given; the next start reads what it really has
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
stop: no new connections, requests in flight end within 30 seconds
.TP
.B SIGHUP
read TLS certificates, limits and log level again; all or nothing
.SH ENVIRONMENT
.TP
.B NOTIFY_SOCKET
where the service manager is told when the server is ready and when it stops
.TP
.BR LISTEN_FDS ", " LISTEN_FDNAMES
listening sockets handed over by the service manager, named
.BR https ", " est ", " http " or " management
.SH FILES
.TP
.I /etc/postern/postern.toml
configuration of the packaged service; for its data folder the default of
.BR \-\-config ,
but for
.B postern serve
.TP
.I /var/lib/postern
its data folder: database, sealed keys, TLS, control socket. The default of
.B \-\-data
where there is no
.I postern\-data
in the current folder, but for
.B postern serve
.TP
.I first\-account
in a data folder: key id and MAC key of the first account, left by a first start without a terminal
.SH SEE ALSO
.I /usr/share/doc/postern/
)";

/// Text as roff wants it: no hyphen is a dash, no line begins a request.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') out += "\\e";
        else if (c == '-') out += "\\-";
        else if (c == '\n') out += ' ';
        else out += c;
    }
    return out;
}

void print_option(std::ostream& out, const OptionFacts& o) {
    out << ".TP\n";
    if (o.positional) {
        out << "\\fI" << roff(o.placeholder) << "\\fR" << (o.repeatable ? " ..." : "");
    } else {
        for (std::size_t i = 0; i < o.spellings.size(); ++i) out << (i ? ", " : "") << "\\fB" << roff(o.spellings[i]) << "\\fR";
        if (o.takes_value()) out << " \\fI" << o.placeholder << "\\fR";
    }
    out << "\n" << roff(o.description);
    if (!o.preset.empty()) out << " (default " << roff(o.preset) << ")";
    out << "\n";
}

void print_manual(const CLI::App& app, std::ostream& out) {
    const std::string release(version());
    out << ".TH POSTERN 1 \"\" \"Postern " << roff(release) << "\" \"User Commands\"\n" << before_verbs;
    for (const auto& verb : facts(app)) {
        if (verb.path.empty() || !verb.subverbs.empty()) continue;
        out << ".SS postern " << roff(verb.path) << "\n" << roff(verb.description) << ".\n";
        for (const auto& o : verb.options) print_option(out, o);
    }
    out << after_verbs;
}

}  // namespace

void add_manual(CLI::App& app, Run& run) {
    auto* verb = app.add_subcommand("manual", "Print the manual page");
    verb->group("");
    verb->callback([&app, &run] {
        run = [&app] {
            print_manual(app, std::cout);
            return 0;
        };
    });
}

}  // namespace postern::app::verbs
