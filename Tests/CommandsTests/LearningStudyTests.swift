import Foundation
import TestSupport
import Testing
import Training

/// Launch/studies/learning.py with a stand-in for `electra` that trains nothing.
@Suite(.serialized)
struct LearningStudyTests {
  /// Scores and AUC follow from the options.
  ///
  /// MLM scores 60, MLM-RTD 63 and ELECTRA 50; Muon and more masks add 1 each, and a seed a
  /// hundredth of it. The AUC is 0.7, and 0.6 with Muon. A run takes `SLOW` seconds; one with a
  /// masked quarter fails with the sentence `FAILURE`, if there is one.
  private static let standIn = #"""
    #!/usr/bin/env -S python3 -SE
    import json, os, pathlib, signal, sys, time
    verb, words = sys.argv[1], sys.argv[2:]
    if verb in ("tasks", "compare"):
        os.execv(os.environ["REAL"], sys.argv)
    if verb == "--version":
        sys.exit(print("kernels Test"))
    def value(option, default=""):
        return words[len(words) - words[::-1].index(option)] if option in words else default
    text, output = " ".join(words), pathlib.Path(value("--output", "."))
    if verb == "vocabulary":
        output.write_text("a\n" * 300)
    elif verb == "prepare":
        output.mkdir()
        (output / "data.json").write_text("{}")
    elif verb == "flops":
        cost = 1 if "mlm" in words else 1.25
        print(json.dumps({"product_operations": int(value("--steps")) * cost}))
    elif verb == "pretrain":
        def stop(*_):
            open("stopped.txt", "a").write("stop\n")
            time.sleep(0.5)
            sys.exit(75)
        signal.signal(signal.SIGUSR1, stop)
        open("pretrained.txt", "a").write(text + "\n")
        (output / "checkpoints/step-1").mkdir(parents=True, exist_ok=True)
        time.sleep(float(os.environ.get("SLOW", "0")))
        if value("--mask-fraction") == "0.25" and "FAILURE" in os.environ:
            print("electra: " + os.environ["FAILURE"])
            sys.exit(70)
        (output / "checkpoints/step-1/model.safetensors").write_text("weights")
        (output / "options").write_text(text)
        loss = {"generator_loss": 4.5} if value("--objective") == "electra" else {"mlm_loss": 6.0}
        lines = [{"step": 8, "seconds": 7.25}, {"step": 8, "split": "held_out", **loss},
                 {"step": 8, "split": "health"}]
        (output / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    elif verb == "finetune":
        options = (pathlib.Path(value("--from")) / "options").read_text()
        score = 63 if "mlm-rtd" in options else 60 if "--objective mlm" in options else 50
        score += ("mask-fraction 0.25" in options) + ("muon" in options) + int(value("--seed")) / 100
        output.mkdir()
        (output / "results.json").write_text(json.dumps({
            "task": words[0], "measures": [{"metric": "entity_f1"}],
            "seeds": [{"seed": int(value("--seed")), "values": [score / 100]}]}))
    elif "--minimal-pairs" in words:
        print(json.dumps({"accuracy": 0.5, "score": "pseudo-log-likelihood"}))
    else:
        options = (pathlib.Path(words[0]) / "options").read_text()
        auc = 0.6 if "muon" in options else 0.7
        print(json.dumps({"discriminator_auc": auc, "samples_crc32c": "0badcafe"}))

    """#

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["labels/conll2000", "labels/blimp"] {
      try FileManager.default.createDirectory(
        atPath: folder.file(name), withIntermediateDirectories: true)
    }
    try folder.write("A DT B-NP\n\n", "labels/conll2000/train.txt")
    try folder.write("good\tbad\n", "labels/blimp/blimp.tsv")
    try folder.write("text\n", "text.txt")
    let path = try folder.write(Self.standIn, "electra.py")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return folder
  }

  private func study(
    _ folder: TemporaryFolder, _ part: String, _ options: [String] = [],
    command: String = "exec \"$0\" \"$@\"", environment: [String: String] = [:]
  ) throws -> Program.Result {
    try Program.shell(
      command,
      [
        "\(Program.launch)/studies/learning.py", part, "labels", "--output", "out", "--text",
        "text.txt", "--results", "results", "--steps", "10", "--tasks", "chunking",
      ] + options,
      environment: ["ELECTRA_PROGRAM": folder.file("electra.py"), "REAL": Program.path]
        .merging(environment) { $1 },
      in: folder.path)
  }

  @Test
  func settingsAreChosenByTheRulesOfTheStudy() throws {
    let folder = try folder()
    func trained() throws -> Int {
      try folder.text("pretrained.txt").split(separator: "\n").count
    }
    let unfinished = try study(folder, "main")
    #expect(
      unfinished.status == 66 && unfinished.errors.contains("there is no file results/pilots.json"))
    let first = try study(folder, "pilots", ["--systems", "MLM"])
    #expect(first.status == 0, "\(first.errors)")
    #expect(!first.output.contains("Settings of the main study"))
    let early = try study(folder, "main")
    #expect(
      early.status == 64
        && early.errors.contains("lacks 12 runs, the first is ELECTRA: quarter generator"))
    let pilots = try study(folder, "pilots")
    #expect(pilots.output.hasPrefix("pilots: 3 of 15 runs are finished\n"), "\(pilots.output)")
    #expect(
      pilots.output.hasSuffix(
        """
        MLM: rate 1.5e-3, 25 % masked (chunking F1 61.0)
        ELECTRA: quarter generator, 25 % masked (chunking F1 51.0)
        MLM-RTD: weight 10, ramp, 25 % masked (chunking F1 64.0)
        MLM, Muon: factor 2, 25 % masked (chunking F1 62.0)
        MLM-RTD, Muon: dropped, the best AUC on unigram fakes is 0.600, below 0.65

        """), "\(pilots.output)\(pilots.errors)")
    #expect(try trained() == 15)
    #expect(try study(folder, "pilots").status == 0)
    #expect(try trained() == 15, "finished runs are not repeated")
    let other = try study(folder, "pilots", ["--batch", "8"])
    #expect(other.status == 64 && other.errors.contains("has the batch 32, not 8"))

    let main = try study(folder, "main")
    #expect(main.status == 0, "\(main.errors)")
    // The generator of the fixed fakes, and four systems with five seeds.
    #expect(try trained() == 15 + 1 + 20)
    #expect(
      main.output.contains("| MLM-RTD | MLM | +3.00 | +2.98 to +3.02 | success |"),
      "\(main.output)")
    #expect(main.output.contains("| ELECTRA | MLM | -10.00 | -10.02 to -9.98 | below |"))
    #expect(main.output.contains("| MLM, Muon | MLM | +1.00 | +0.98 to +1.02 | above |"))
    #expect(try folder.text("results/main.json").contains(#"generator's fakes": "0badcafe""#))
    let eighty = try study(folder, "main", ["--eighty"])
    #expect(
      eighty.output.contains(
        "| MLM-RTD, 80 % of the compute | MLM | +3.05 | +3.03 to +3.07 | above |"),
      "\(eighty.output)\(eighty.errors)")
    #expect(eighty.output.contains("80 % of the compute: reaches MLM, difference +3.05"))
    let crossing = try study(folder, "crossing", ["--systems", "MLM-RTD"])
    #expect(crossing.status == 0, "\(crossing.errors)")
    #expect(crossing.output.contains("### 100 million tokens\n"))
    let picture = try #require(Elements(try folder.text("out/crossing.svg")))
    // 9 seeds and 5 means of the best recipe, and the names of ELECTRA, MLM and the best recipe.
    #expect(picture.counts["circle"] == 9 + 5 + 3)
  }

  /// The rules need all runs of a removed system if the results have one of them.
  @Test
  func aRemovedSystemIsComparedIfItHasRuns() throws {
    let folder = try folder()
    let key = "ELECTRA, weakened generator: its rate 0.3"
    for (runs, count) in [("", 15), (#"{"system": "\#(key)", "seed": 1, "scores": {}}"#, 17)] {
      try folder.write(
        #"""
        {"settings": {"vocabulary": 4096, "length": 64, "batch": 32, "arithmetic": "float32"},
         "runs": [\#(runs)]}
        """#, "results/pilots.json")
      let main = try study(folder, "main")
      #expect(main.status == 64 && main.errors.contains("lacks \(count) runs"), "\(main.errors)")
    }
  }

  /// Only the crossing may have another arithmetic than the pilots.
  @Test
  func theMainStudyHasTheArithmeticOfThePilots() throws {
    let folder = try folder()
    try folder.write(
      #"""
      {"settings": {"vocabulary": 4096, "length": 64, "batch": 32, "arithmetic": "float32"},
       "runs": []}
      """#, "results/pilots.json")
    let main = try study(folder, "main", ["--arithmetic", "bfloat16"])
    #expect(main.status == 64, "\(main.errors)")
    #expect(main.errors.contains("has the arithmetic float32, not bfloat16"), "\(main.errors)")
    let crossing = try study(folder, "crossing")
    #expect(
      crossing.status == 64 && crossing.errors.contains("lacks 15 runs"), "\(crossing.errors)")
  }

  @Test
  func aRunThatFailsIsTriedAgainAndOneThatDivergedIsRecorded() throws {
    let folder = try folder()
    func start(_ failure: String) throws -> Program.Result {
      try study(folder, "pilots", ["--systems", "MLM"], environment: ["FAILURE": failure])
    }
    let failed = try start("no space")
    #expect(failed.status == 70 && failed.errors.contains("seed 1: electra: no space"))
    let diverged = try start(Divergence(step: 7, tensor: "w", origin: .weights).description)
    #expect(diverged.status == 0, "\(diverged.errors)")
    let recorded = try folder.text("results/pilots.json")
    #expect(recorded.contains(#""steps": 10, "scores": {}, "measures": {}, "failed": "electra: w"#))
    #expect(recorded.contains(", kernels Test\""), "\(recorded)")
    let last = try start("no space")
    #expect(last.status == 0 && last.output.hasPrefix("pilots: 3 of 15 runs are finished"))
  }

  /// A closing terminal often sends SIGHUP several times; a second request ends a run at once.
  @Test(arguments: ["kill -TERM $script", "kill -HUP $script; sleep 0.2; kill -HUP $script"])
  func aStudyStopsItsJobsAndResumes(fault: String) throws {
    let folder = try folder()
    let options = ["--systems", "MLM", "--jobs", "2"]
    let stopped = try study(
      folder, "pilots", options,
      command: """
        \(Program.awaitFunction)
        env --default-signal "$0" "$@" & script=$!
        await '[ "$(cat pretrained.txt 2>/dev/null | wc -l)" = 2 ]'
        \(fault)
        wait $script
        """, environment: ["SLOW": "600"])
    #expect(stopped.status == 75, "\(stopped.output)\(stopped.errors)")
    #expect(stopped.output.contains("stopped as requested; the same command resumes"))
    #expect(try folder.text("stopped.txt") == "stop\nstop\n", "one request for each job")
    let resumed = try study(folder, "pilots", options)
    #expect(resumed.status == 0 && resumed.output.hasPrefix("pilots: 0 of 15 runs are finished"))
    // The third run had not begun.
    let recorded = try folder.text("results/pilots.json")
    #expect(recorded.matches(of: /"resumed": true, "core_seconds": \d+\.\d}/).count == 2)
  }
}
