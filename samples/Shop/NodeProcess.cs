using System.Diagnostics;
using Yarp.ReverseProxy.Forwarder;

namespace Datacake.Shop;

/// <summary>A node in a process of its own, which is this program with other arguments. Thread-safe.</summary>
/// <param name="id">The id of the node, from 1.</param>
/// <param name="url">The address of its web application.</param>
/// <param name="folder">The folder of its file.</param>
/// <param name="addresses">The addresses of all nodes in the cluster.</param>
sealed class NodeProcess(int id, string url, string folder, string[] addresses) : IAsyncDisposable
{
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    readonly SemaphoreSlim _starting = new(1);
    Process? _process;
    volatile bool _isReady;
    int _requests;

    public int Id => id;

    /// <summary>Gets whether the process runs, and its node has joined the cluster.</summary>
    public bool IsUp => _isReady && _process is { HasExited: false };

    /// <summary>Gets the number of requests that the node works on. Streams of events and connections of the chat are requests that last.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Starts the process, unless it runs, and waits until its node is healthy.</summary>
    /// <exception cref="InvalidOperationException">The process has ended. Its output says why.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (IsUp)
                return;
            _isReady = false;
            _process?.Dispose();
            // dotnet Shop.dll, or Shop by itself.
            string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
            _process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. program, "node", $"{id}", url, folder, .. addresses]) { RedirectStandardInput = true })!;
            using var http = new HttpClient();
            while (!await IsHealthyAsync(http, cancellationToken))
            {
                if (_process.HasExited)
                    throw new InvalidOperationException($"Node {id} has ended with the exit code {_process.ExitCode}. Its output says why.");
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
            _isReady = true;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Sends a request to the node, and its response to the client.</summary>
    public async Task ForwardAsync(HttpContext context, IHttpForwarder forwarder, HttpMessageInvoker client)
    {
        Interlocked.Increment(ref _requests);
        await forwarder.SendAsync(context, url, client);
        Interlocked.Decrement(ref _requests);
    }

    /// <summary>Ends the process without any chance to clean up.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Asks the process to end.</summary>
    public void Stop() => _process?.StandardInput.Close();

    public async ValueTask DisposeAsync()
    {
        if (_process is not { } process)
            return;
        Stop();
        try
        {
            await process.WaitForExitAsync().WaitAsync(StopTimeout);
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }
        process.Dispose();
        _starting.Dispose();
    }

    async Task<bool> IsHealthyAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync($"{url}/health", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
