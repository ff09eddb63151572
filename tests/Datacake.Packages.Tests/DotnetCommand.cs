using System.Diagnostics;

namespace Datacake.Packages.Tests;

/// <summary>A run of a program, such as the .NET SDK, in a process of its own.</summary>
static class DotnetCommand
{
    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(8);

    /// <summary>Runs the .NET SDK, and returns its exit code and what it has written.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        string folder, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken, params IEnumerable<string> arguments) =>
        StartAsync("dotnet", folder, environment, cancellationToken, arguments);

    /// <summary>Runs a program, and returns its exit code and what it has written.</summary>
    public static async Task<(int ExitCode, string Output)> StartAsync(
        string program, string folder, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        // Those of an SDK that runs these tests would lead the one that is started astray.
        foreach (string inherited in start.Environment.Keys.Where(static name => name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(inherited);
        // Build processes that outlive the build would keep the redirected output open.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        // The compiler's own process keeps no output open, and serves all builds of a run: without it, each compilation starts a compiler.
        start.Environment["UseSharedCompilation"] = "true";
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken).WaitAsync(Deadline, cancellationToken);
            return (process.ExitCode, (await output + await errors).ReplaceLineEndings("\n"));
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
