#pragma once

// What a process does to itself, done by a child.

#include <csignal>
#include <cstdint>
#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/// Runs f() in a process of its own, whose exit code is what it returns, or 99 for an exception.
class child {
 public:
  template <class F>
  explicit child(F f) : m_process(fork()) {
    if (m_process != 0) return;
    int code = 99;
    try {
      code = f();
    } catch (...) {
    }
    _exit(code);  // neither flushes nor reports what the parent will
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { kill(); }

  void kill() {
    if (m_process > 0) ::kill(m_process, SIGKILL);
    wait();
  }
  /// The exit code, -1 if it was killed.
  int wait() {
    if (m_process <= 0) return -1;
    int status = 0;
    waitpid(m_process, &status, 0);
    m_process = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t m_process;
};

template <class F>
int in_child(F f) {
  return child(f).wait();
}

/// From now on no file grows beyond `bytes`: a write that would gets EFBIG, as it gets ENOSPC where the disk is full,
/// or kills the process.
inline void limit_files(std::uintmax_t bytes, bool kills = false) {
  std::signal(SIGXFSZ, kills ? SIG_DFL : SIG_IGN);
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)}, no_core{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0) std::abort();
}

/// Gives up the rights of root, for whom no folder is closed.
inline void become_nobody() {
  constexpr uid_t nobody = 65534;
  if (geteuid() == 0 && (setegid(nobody) != 0 || seteuid(nobody) != 0)) std::abort();
}
