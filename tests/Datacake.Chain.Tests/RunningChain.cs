using System.Globalization;

namespace Datacake.Chain.Tests;

/// <summary>The sample: a head office, three shops and a display, each a process, and a PostgreSQL server.</summary>
public sealed class RunningChain : IAsyncLifetime
{
    readonly ReservedAddresses _addresses = new();
    readonly string _folder = Directory.CreateTempSubdirectory("datacake-chain-").FullName;
    PostgreSqlServer? _server;
    int _articles;

    public ChainProcess Office { get; private set; } = null!;

    /// <summary>Gets the shops, of which the first is shop 1.</summary>
    public IReadOnlyList<ChainProcess> Shops { get; private set; } = [];

    public ChainProcess Display { get; private set; } = null!;

    /// <summary>Returns the number of an article that no other test uses.</summary>
    public int NewArticle() => Interlocked.Increment(ref _articles);

    /// <summary>Returns the last label that a shop has printed for an article; null if there is none.</summary>
    public async Task<string?> LastLabelAsync(int shop, string name)
    {
        string path = Path.Combine(_folder, $"shop-{shop}", "labels.txt");
        return File.Exists(path) ? (await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken)).LastOrDefault(label => label.StartsWith(name + " ", StringComparison.Ordinal)) : null;
    }

    /// <summary>Waits until the lines of the report about articles whose names begin with a text are those of the sales.</summary>
    public async Task WaitForReportAsync(IReadOnlyDictionary<int, string> names, IEnumerable<Sale> sales)
    {
        string expected = string.Join('\n', sales.GroupBy(static sale => (sale.Shop, sale.ArticleId))
            .Select(group => Line(group.Key.Shop, names[group.Key.ArticleId], group.Sum(static sale => sale.Quantity), group.Sum(static sale => sale.Quantity * sale.Price))).Order(StringComparer.Ordinal));
        string seen = "";
        await Eventually.WaitUntilAsync(
            async () =>
            {
                var (status, text) = await Office.TryGetAsync("/report");
                seen = status != 200 ? text : string.Join('\n', (await Office.GetAsync<ReportLine[]>("/report")).Where(line => names.Values.Contains(line.Article))
                    .Select(static line => Line(line.Shop, line.Article, line.Sold, line.Revenue)).Order(StringComparer.Ordinal));
                return seen == expected;
            },
            () => $"the report is\n{expected}\ninstead of\n{seen}");

        static string Line(int shop, string article, long sold, decimal revenue) => string.Create(CultureInfo.InvariantCulture, $"{shop} {article} {sold} {revenue:0.00}");
    }

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(PostgreSqlServer.FindPrograms() is null, "PostgreSQL is not installed.");
        _server = await PostgreSqlServer.StartAsync();
        string[] nodes = _addresses.Next(4), urls = [.. _addresses.Next(5).Select(static address => $"http://{address}")];
        string[] settings =
        [
            $"Chain:Folder={_folder}", $"Chain:Reports={_server.ConnectionString}", $"Chain:Office:Node={nodes[0]}", $"Chain:Office:Url={urls[0]}", $"Chain:Display:Url={urls[4]}",
            .. Enumerable.Range(0, 3).SelectMany(shop => (string[])[$"Chain:Shops:{shop}:Node={nodes[shop + 1]}", $"Chain:Shops:{shop}:Url={urls[shop + 1]}"]),
        ];
        Office = new ChainProcess(["office"], urls[0], settings);
        Shops = [.. Enumerable.Range(1, 3).Select(shop => new ChainProcess(["shop", $"{shop}"], urls[shop], settings))];
        Display = new ChainProcess(["display"], urls[4], settings);
        await Task.WhenAll(((ChainProcess[])[Office, .. Shops, Display]).Select(static process => process.StartAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in (ChainProcess?[])[Office, .. Shops, Display])
        {
            if (process is not null)
                await process.DisposeAsync();
        }
        if (_server is not null)
            await _server.DisposeAsync();
        _addresses.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A line of the report.</summary>
    sealed record ReportLine(int Shop, string Article, long Sold, decimal Revenue);
}
