using System.CommandLine;
using Datacake.Tool.Connections;
using Datacake.Tool.Diagnosis;
using Datacake.Tool.Terminal;
using Spectre.Console;

namespace Datacake.Tool.Commands;

/// <summary>The command that finds out why something does not work.</summary>
static class DoctorCommand
{
    public static IEnumerable<Command> All =>
    [
        new ToolCommand("doctor", "Checks the way to a node, its clock, operator secret, disk, certificates, seeds and findings, each with the remedy.", "doctor --connect shop1:7001", NodeOptions.All)
            .Runs(async (parsed, output, token) =>
            {
                string address = NodeOptions.AddressOf(parsed);
                var access = NodeOptions.AccessOf(parsed);
                var doctor = new Doctor(address, access);
                await foreach (var check in doctor.CheckAsync(token).ConfigureAwait(false))
                {
                    output.Write(check, ToolJson.Default.Check, static check => new Text(
                        Output.Clean($"{(check.IsGood ? "OK     " : "PROBLEM")} {check.Name}: {check.Result}{(check.IsGood ? "" : $" {check.Remedy}")}\n"), check.IsGood ? Color.Default : Color.Yellow));
                }
                return doctor.ExitCode;
            }),
    ];
}
