import Foundation
import Platform
import Testing

/// Listens on this thread too: threads of Swift's concurrency block all signals.
private func listen() {
  StopSignals.install()
  var all = sigset_t()
  sigfillset(&all)
  pthread_sigmask(SIG_UNBLOCK, &all, nil)
}

/// Each test sends signals to a separate process.
struct StopSignalsTests {
  @Test
  func theFirstRequestLetsTheRunGoOn() async {
    await #expect(processExitsWith: .exitCode(0)) {
      listen()
      #expect(!StopSignals.isRequested && !StopSignals.isTerminated)
      raise(SIGUSR1)
      #expect(StopSignals.isRequested && !StopSignals.isTerminated)
      exit(0)
    }
  }

  @Test
  func theSecondRequestEndsTheProgramAtOnce() async {
    await #expect(processExitsWith: .exitCode(75)) {
      listen()
      raise(SIGINT)
      raise(SIGTERM)
      exit(0)
    }
  }

  /// Shells and terminals send SIGHUP more than once.
  @Test
  func aTerminalThatClosesTwiceAsksOnce() async {
    await #expect(processExitsWith: .exitCode(0)) {
      signal(SIGHUP, SIG_DFL)
      listen()
      raise(SIGHUP)
      raise(SIGHUP)
      exit(StopSignals.isRequested && !StopSignals.isTerminated ? 0 : 1)
    }
  }

  @Test
  func underNohupATerminalThatClosesDoesNotAsk() async {
    await #expect(processExitsWith: .exitCode(0)) {
      signal(SIGHUP, SIG_IGN)
      listen()
      raise(SIGHUP)
      exit(StopSignals.isRequested ? 1 : 0)
    }
  }

  @Test
  func sigtermIsDistinguishedFromOtherRequests() async {
    await #expect(processExitsWith: .exitCode(0)) {
      listen()
      raise(SIGTERM)
      exit(StopSignals.isTerminated ? 0 : 1)
    }
  }
}
