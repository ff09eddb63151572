using System.Diagnostics;
using System.Reflection;

namespace Datacake.Storage.Specification;

/// <summary>
/// A process that owns a store and commits to it until it is killed. It runs the same executable as the tests, whose entry point calls
/// <see cref="TryRunAsync"/> before it runs any test.
/// </summary>
public sealed class StorageProcess : IDisposable
{
    const string Argument = "--own-storage";

    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    readonly Process _process;

    StorageProcess(Process process) => _process = process;

    /// <summary>Gets the number of the last batch whose commit the process has acknowledged.</summary>
    public int LastAcknowledged { get; private set; }

    /// <summary>Runs as such a process if the arguments ask for it.</summary>
    /// <returns>True if the arguments asked for it; then the entry point should return.</returns>
    public static async Task<bool> TryRunAsync(string[] args, Func<string, IStorage> open)
    {
        if (args is not [Argument, string path])
            return false;
        await using IStorage storage = open(path);
        int number = await NumberedBatches.LastAsync(storage);
        while (true)
        {
            number++;
            await storage.CommitAsync(NumberedBatches.Create(number), NumberedBatches.DurabilityOf(number));
            // When the parent process is gone, nobody reads the output and writing fails, so this process ends, too.
            // The line is written in one piece, so that a record of system calls shows it as one call.
            Console.Out.Write($"{number}\n");
            Console.Out.Flush();
        }
    }

    /// <summary>Starts the process on the store at a path.</summary>
    /// <param name="path">The path of the store.</param>
    /// <param name="wrapper">A command, with its arguments, that runs the command after it and passes its output on.</param>
    public static StorageProcess Start(string path, params string[] wrapper)
    {
        string host = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no executable.");
        string[] assembly = Path.GetFileNameWithoutExtension(host) == "dotnet" ? [Assembly.GetEntryAssembly()!.Location] : [];
        string[] command = [.. wrapper, host, .. assembly, Argument, path];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true };
        return new StorageProcess(Process.Start(start)!);
    }

    /// <summary>Waits until the process has acknowledged a number of batches.</summary>
    public async Task WaitForAcknowledgmentsAsync(int count)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        for (int i = 0; i < count; i++)
        {
            string? line = await _process.StandardOutput.ReadLineAsync(deadline.Token);
            LastAcknowledged = int.Parse(
                line ?? throw new InvalidOperationException("The process has ended by itself. Its error output shows the cause."), provider: null);
        }
    }

    /// <summary>Kills the process without any cleanup, and reads the acknowledgments that it had already written.</summary>
    public async Task KillAsync()
    {
        // Includes the process that a wrapper runs.
        _process.Kill(entireProcessTree: true);
        using var deadline = new CancellationTokenSource(Deadline);
        string rest = await _process.StandardOutput.ReadToEndAsync(deadline.Token);
        await _process.WaitForExitAsync(deadline.Token);
        // The last line counts only if it is complete.
        string[] lines = rest.Split('\n');
        if (lines.Length > 1)
            LastAcknowledged = int.Parse(lines[^2], provider: null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
