using System.Diagnostics;
using System.Text.Json;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>A run of the tool as a process of its own.</summary>
/// <param name="ExitCode">The exit code.</param>
/// <param name="Values">The standard output.</param>
/// <param name="Messages">The standard error.</param>
sealed record ToolRun(ExitCode ExitCode, string Values, string Messages)
{
    /// <summary>Gets the standard output as one JSON value.</summary>
    public JsonElement Json => JsonElement.Parse(Values);

    /// <summary>Gets the standard output as JSON Lines.</summary>
    public JsonElement[] JsonLines => [.. Values.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line))];

    /// <summary>Runs the tool to its end.</summary>
    public static Task<ToolRun> RunAsync(params string[] arguments) => RunAsync(new Dictionary<string, string>(), arguments);

    /// <inheritdoc cref="RunAsync(string[])"/>
    public static async Task<ToolRun> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        using var process = Start(environment, arguments);
        var token = TestContext.Current.CancellationToken;
        process.StandardInput.Close();
        var values = process.StandardOutput.ReadToEndAsync(token);
        var messages = process.StandardError.ReadToEndAsync(token);
        try
        {
            await process.WaitForExitAsync(token);
        }
        catch
        {
            process.Kill();
            throw;
        }
        var run = new ToolRun((ExitCode)process.ExitCode, await values, await messages);
        Assert.DoesNotContain("   at ", run.Messages, StringComparison.Ordinal);
        return run;
    }

    /// <summary>Starts the tool.</summary>
    public static Process Start(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Datacake.Tool.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
