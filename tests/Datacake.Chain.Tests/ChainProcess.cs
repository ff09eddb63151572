using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;

namespace Datacake.Chain.Tests;

/// <summary>One process of the sample, which can be ended and started again.</summary>
/// <param name="role">The arguments that choose the role.</param>
/// <param name="url">The address of its web application.</param>
/// <param name="settings">The settings of the chain, as arguments.</param>
public sealed class ChainProcess(string[] role, string url, string[] settings) : IAsyncDisposable
{
    // A shell that waits for a line with a signal, or for the end of its input, which is also the end of the process that has started it.
    const string Guard = "\"$@\" & child=$!; read -r signal; kill -${signal:-KILL} $child; wait $child 2>/dev/null";

    readonly HttpClient _http = new() { BaseAddress = new Uri(url) };
    readonly ConcurrentQueue<string> _output = [];
    Process? _guard;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>Starts the process with further arguments, and waits until it answers requests.</summary>
    public async Task StartAsync(params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Chain");
        _guard = Process.Start(new ProcessStartInfo("sh", ["-c", Guard, "sh", program, .. role, .. arguments, .. settings])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _guard.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _guard.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _guard.BeginOutputReadLine();
        _guard.BeginErrorReadLine();
        await Eventually.WaitUntilAsync(() => AnswersAsync("/articles"), () => $"{string.Join(' ', role)} answers, but it prints\n{string.Join('\n', _output)}");
    }

    /// <summary>Ends the process without any chance to clean up.</summary>
    public Task KillAsync() => EndAsync("KILL");

    /// <summary>Asks the process to end, and waits until it has.</summary>
    public Task StopAsync() => EndAsync("TERM");

    public Task<T> GetAsync<T>(string path) => _http.GetFromJsonAsync<T>(path, Canceled)!;

    public Task<string> GetTextAsync(string path) => _http.GetStringAsync(path, Canceled);

    /// <summary>Returns the status and the text of a response that may be a refusal.</summary>
    public async Task<(int Status, string Text)> TryGetAsync(string path)
    {
        using var response = await _http.GetAsync(path, Canceled);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Canceled));
    }

    /// <summary>Sets the name and the price of an article.</summary>
    public async Task SetPriceAsync(int article, string name, decimal price)
    {
        using var response = await _http.PutAsJsonAsync($"/articles/{article}", new { name, price }, Canceled);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Sells an article, and returns the sale that the shop has acknowledged.</summary>
    public async Task<Sale> SellAsync(int article, int quantity)
    {
        using var response = await _http.PostAsJsonAsync("/sales", new { article, quantity }, Canceled);
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<Sale>(Canceled))!;
    }

    /// <summary>Waits until the process has an article at a price.</summary>
    public Task WaitForPriceAsync(int article, decimal price) => Eventually.WaitUntilAsync(
        async () => (await GetAsync<Article[]>("/articles")).Any(found => found.Id == article && found.Price == price), $"{string.Join(' ', role)} has article {article} at {price}");

    public async ValueTask DisposeAsync()
    {
        if (_guard is not null)
            await KillAsync();
        _http.Dispose();
    }

    async Task<bool> AnswersAsync(string path)
    {
        try
        {
            using var response = await _http.GetAsync(path, Canceled);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    async Task EndAsync(string signal)
    {
        await _guard!.StandardInput.WriteLineAsync(signal);
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync(Canceled).WaitAsync(Eventually.Deadline, Canceled);
        _guard.Dispose();
        _guard = null;
    }
}
