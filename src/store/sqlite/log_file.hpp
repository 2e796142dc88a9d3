#pragma once

namespace postern::store::sqlite {

/// SQLite's own access to files, by this name, but that what a transaction writes to the write-ahead log is gathered and written at
/// once. SQLite alone writes each page's head and the page by a call of their own, some hundred a commit.
///
/// For connections with synchronous=FULL, which forces the log to the disk before it tells readers of a commit: what was gathered is
/// written before that, and before the log is read, measured or cut. nullptr: SQLite could not be given it, and its default serves.
const char* gathering_files() noexcept;

}  // namespace postern::store::sqlite
