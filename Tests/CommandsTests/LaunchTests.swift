import Collectives
import Foundation
import Platform
import TestSupport
import Testing

/// Errors before the first step on several hosts: one sentence names host and rank, and all ranks
/// end.
@Suite(.serialized)
struct LaunchTests {
  @Test
  func anAllocationSmallerThanAskedForIsRefused() throws {
    let folder = try TemporaryFolder()
    let result = try Program.shell(
      "exec \"$0\" -np 4 pretrain", ["\(Program.launch)/mpirun.sh"],
      environment: ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_JOB_NODELIST": "n[1-2]"],
      in: folder.path)
    #expect(result.status == 64)
    #expect(
      result.errors.contains("-np asks for 4 ranks but job 7 has only 2 tasks on n[1-2]: rank 2"),
      "\(result.errors)")
  }

  /// With CDPATH, `cd` prints the folder that it finds.
  @Test(arguments: ["mpirun.sh", "keep-going.sh"])
  func theScriptsFindTheirFilesInSpiteOfCDPATH(script: String) throws {
    let folder = try TemporaryFolder()
    let result = try Program.shell(
      "cd \"$0/..\" && exec Launch/\(script) -np 2", [Program.launch],
      environment: ["CDPATH": ".:/"], in: folder.path)
    #expect(result.status == 64)
    #expect(
      result.errors.contains("a verb of electra is missing")
        && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }

  @Test(arguments: ["mpirun.sh", "keep-going.sh"])
  func aMissingFolderForTemporaryFilesIsReported(script: String) throws {
    let folder = try TemporaryFolder()
    let result = try Program.shell(
      "TMPDIR=/nowhere exec \"$0\" -np 1 pretrain", ["\(Program.launch)/\(script)"],
      in: folder.path)
    #expect(result.status == 73)
    #expect(result.errors.contains("/nowhere"), "\(result.errors)")
  }

  @Test
  func anOptionInPlaceOfTheFolderIsRefusedAtOnce() throws {
    let folder = try TemporaryFolder()
    let result = try Program.script("quickstart.sh", ["--steps", "9"], in: folder.path)
    #expect(result.status == 64)
    #expect(result.errors.contains("is a folder, not the option --steps"), "\(result.errors)")
  }

  /// quickstart.sh changes to the folder of its files.
  @Test
  func theProgramMayHaveARelativePath() throws {
    let folder = try TemporaryFolder()
    let result = try Program.shell(
      "start=$PWD; . \"$0/environment.sh\"; [ \"$electra\" = \"$start/a b/electra\" ]",
      [Program.launch], environment: ["ELECTRA_PROGRAM": "a b/electra"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test
  func textForAMissingFolderIsRefused() throws {
    let folder = try TemporaryFolder()
    let result = try Program.script("fetch-text.sh", ["nowhere/corpus.txt"], in: folder.path)
    #expect(result.status == 66 && result.output.isEmpty)
    #expect(result.errors == "fetch-text.sh: there is no folder nowhere\n", "\(result.errors)")
  }

  /// Scripts that do not source usage.sh are not started: they could begin to work.
  @Test
  func everyScriptPrintsItsHeadCommentAsHelp() throws {
    let folder = try TemporaryFolder()
    let result = try Program.shell(
      """
      cd "$0" && for script in $(find . -name '*.sh' -perm -u+x); do
        grep -q 'usage.sh"' $script && help=$(timeout 5 $script --help) \\
          && [ "# ${help%%$'\\n'*}" = "$(sed -n 2p $script)" ] && echo good || echo "bad: $script"
      done | sort | uniq -c
      """, [Program.launch], in: folder.path)
    #expect(result.output.hasSuffix(" good\n"), "\(result.errors)")
    #expect(!result.output.contains("bad"), "\(result.output) \(result.errors)")
  }

  /// Two ranks with separate data folders.
  private func pretrain(_ first: String, _ second: String, in folder: TemporaryFolder) throws
    -> Program.Result
  {
    try Program.shell(
      """
      . \(Program.launch)/environment.sh
      run="$0 pretrain --output run --preset tiny --length 32 --batch 8 --steps 2 --threads 1 --data"
      mpirun -q --timeout 300 -np 1 $run \(first) : -np 1 $run \(second)
      """, [Program.path], in: folder.path)
  }

  /// Each host can have a copy of the data; a missing or different copy is named.
  @Test
  func dataOfAHostAreTheSameOrNamed() throws {
    let folder = try preparedData(documents: 60)
    let copies = try Program.shell(
      """
      cp -r data copy
      "$0" prepare text.txt --vocabulary vocab.txt --output other --length 32 --seed 2 >/dev/null
      """, [Program.path], in: folder.path)
    #expect(copies.status == 0)
    let same = try pretrain("data", "copy", in: folder)
    #expect(same.status == 0, "\(same.errors)")
    let missing = try pretrain("data", "nowhere", in: folder)
    #expect(missing.status == 66, "\(missing.errors)")
    #expect(missing.errors.contains("rank 1 on \(hostName()): "), "\(missing.errors)")
    #expect(missing.errors.contains("nowhere"))
    let other = try pretrain("data", "other", in: folder)
    #expect(other.status == 78, "\(other.errors)")
    #expect(other.errors.contains("rank 1 on \(hostName()) has another data than rank 0"))
  }
}
