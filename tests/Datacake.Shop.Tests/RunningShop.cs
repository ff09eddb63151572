using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

// Each shop is four processes.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Datacake.Shop.Tests;

/// <summary>The sample, run as a process, with its nodes.</summary>
public sealed partial class RunningShop : IAsyncLifetime
{
    readonly ConcurrentQueue<string> _output = [];
    Process? _process;
    Task _reading = Task.CompletedTask;
    HttpClient? _http;

    /// <summary>Gets the address of the page, as the sample prints it.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Gets the folder with the files of the nodes, as the sample prints it.</summary>
    public string Folder { get; private set; } = "";

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    string Output => string.Join('\n', _output);

    public async ValueTask InitializeAsync()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Shop" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        _process = Process.Start(new ProcessStartInfo(program, ["--urls", "http://127.0.0.1:0"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
        await Eventually.WaitUntilAsync(() => Url().IsMatch(Output) || _process.HasExited, () => $"the shop prints its address, but it prints\n{Output}");
        Assert.False(_process.HasExited, Output);
        Address = Url().Match(Output).Groups[1].Value;
        Folder = FilesFolder().Match(Output).Groups[1].Value;
        _http = new HttpClient { BaseAddress = new Uri(Address), Timeout = Eventually.Deadline };
    }

    /// <summary>Kills the process of a node, and waits until the proxy knows.</summary>
    public async Task KillNodeAsync(string node)
    {
        using var response = await _http!.PostAsync($"/nodes/{node}/kill", null, Canceled);
        Assert.True(response.IsSuccessStatusCode, Output);
    }

    /// <summary>Starts the process of a node, unless it runs, and waits until the node is healthy.</summary>
    public async Task StartNodeAsync(string node)
    {
        using var response = await _http!.PostAsync($"/nodes/{node}/start", null, Canceled);
        Assert.True(response.IsSuccessStatusCode, Output);
    }

    /// <summary>Starts the nodes that do not run.</summary>
    public Task StartAllAsync() => Task.WhenAll(StartNodeAsync("1"), StartNodeAsync("2"), StartNodeAsync("3"));

    /// <summary>Sends a request to the node whose turn it is.</summary>
    public async Task SkipNodeAsync()
    {
        using var response = await _http!.GetAsync("/cart", Canceled);
    }

    /// <summary>Asks the first process to end.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-s", "TERM", $"{_process!.Id}"]);
        await kill.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Ends the first process without any chance to clean up.</summary>
    public void Kill() => _process!.Kill();

    /// <summary>Waits until all processes have ended, and returns the exit code of the first one.</summary>
    public async Task<int> WaitForEndAsync()
    {
        await _process!.WaitForExitAsync(CancellationToken.None).WaitAsync(Eventually.Deadline, CancellationToken.None);
        // The nodes write to the same output, which ends with the last of them.
        await _reading.WaitAsync(Eventually.Deadline, CancellationToken.None);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        if (_process is null)
            return;
        if (_process.HasExited || OperatingSystem.IsWindows())
            _process.Kill();
        else
            await TerminateAsync();
        await WaitForEndAsync();
        _process.Dispose();
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }

    async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
            _output.Enqueue(line);
    }

    [GeneratedRegex(@"Open (http://[\d.:]+) ")]
    private static partial Regex Url();

    [GeneratedRegex(@"with their files in (.+)\.")]
    private static partial Regex FilesFolder();
}
