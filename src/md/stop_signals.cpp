// Signal handlers that set a flag.
// SPDX-License-Identifier: Apache-2.0
#include "md/stop_signals.hpp"

namespace nanoday {
namespace {

// The only state a signal handler may touch.
volatile std::sig_atomic_t received_signal = 0;

extern "C" void note_signal(int signal) { received_signal = signal; }

}  // namespace

StopSignals::StopSignals() {
  received_signal = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, &old_interrupt_);
  sigaction(SIGTERM, &action, &old_terminate_);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, &old_file_size_);
}

StopSignals::~StopSignals() {
  sigaction(SIGINT, &old_interrupt_, nullptr);
  sigaction(SIGTERM, &old_terminate_, nullptr);
  sigaction(SIGXFSZ, &old_file_size_, nullptr);
}

bool StopSignals::requested() const { return received_signal != 0; }

std::string StopSignals::name() const { return received_signal == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace nanoday
