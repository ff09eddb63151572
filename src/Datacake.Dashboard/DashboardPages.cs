using System.Globalization;
using System.Text.Json;
using Datacake.Administration;
using Datacake.Dashboard.Charts;
using Datacake.Dashboard.Cluster;
using Datacake.Dashboard.Pages;
using Datacake.Dashboard.Queries;
using Datacake.Dashboard.Tail;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Dashboard;

/// <summary>The handlers of the pages: they read what a page shows, and render it.</summary>
sealed class DashboardPages(IServiceProvider services)
{
    /// <summary>The limit of documents on a page.</summary>
    const int MaxRows = 50;

    /// <summary>The limit of stores that can be chosen from a list.</summary>
    const int MaxStores = 1_000;

    const int MaxKeyLength = 8_192, MaxConditionLength = 2_000;

    readonly DashboardOptions _options = services.GetRequiredService<DashboardOptions>();
    readonly DashboardNode _source = services.GetRequiredService<DashboardNode>();
    readonly DashboardCollector _collector = services.GetRequiredService<DashboardCollector>();
    readonly ClusterReports _reports = services.GetRequiredService<ClusterReports>();
    readonly TailLimit _tails = services.GetRequiredService<TailLimit>();

    public Task ClusterAsync(HttpContext context) => RenderAsync(context, "/", "Cluster", "/", isLive: true, async page =>
        ClusterPage.Of(await _reports.GetAsync(page.Addresses.Store, context.RequestAborted).ConfigureAwait(false), page.Addresses));

    public Task ThroughputAsync(HttpContext context) => RenderAsync(context, PageAddresses.ThroughputPage, "Throughput and latency", PageAddresses.ThroughputPage, isLive: true, page =>
    {
        int minutes = int.TryParse(context.Request.Query["minutes"], CultureInfo.InvariantCulture, out int asked) && ThroughputCharts.Windows.Contains(asked) ? asked : ThroughputCharts.Windows[0];
        var history = _collector.Metrics ?? throw NotStarted();
        return new(ThroughputPage.Of(new ThroughputModel(page.Addresses, minutes, new ThroughputCharts(history, minutes).Create())));
    });

    public Task DataAsync(HttpContext context) => RenderAsync(context, PageAddresses.DataPage, "Data", PageAddresses.DataPage, isLive: true, async page =>
        DataPage.Of(await page.Administration.ListKeyspacesAsync(context.RequestAborted).ConfigureAwait(false), page.Stores, page.Addresses));

    public Task KeyspaceAsync(HttpContext context)
    {
        string name = context.Request.Query["name"].ToString();
        return RenderAsync(context, PageAddresses.KeyspacePage, name, PageAddresses.DataPage, isLive: false, async page =>
        {
            var keyspaces = await page.Administration.ListKeyspacesAsync(context.RequestAborted).ConfigureAwait(false);
            if (keyspaces.FirstOrDefault(keyspace => keyspace.Name == name) is not { } keyspace)
                return NotFound(context, "No such keyspace", $"The store has no keyspace '{name}'. Choose one from the page Data.");
            string? after = ValueOf(context, "after"), where = ValueOf(context, "where");
            var model = new KeyspaceModel(page.Addresses, keyspace, where, context.Request.Query["show"] == "deleted", after, [], [], 0, null, null);
            return KeyspacePage.Of(await ReadAsync(model, page.Administration, context.RequestAborted).ConfigureAwait(false));
        });
    }

    public Task DocumentAsync(HttpContext context)
    {
        string keyspace = context.Request.Query["keyspace"].ToString(), key = context.Request.Query["key"].ToString().Trim();
        return RenderAsync(context, PageAddresses.DocumentPage, $"{key} in {keyspace}", PageAddresses.DataPage, isLive: false, async page =>
        {
            var model = new DocumentModel(page.Addresses, keyspace, key, null, null);
            if (key.Length is 0 or > MaxKeyLength)
                return DocumentPage.Of(model with { Problem = key.Length == 0 ? "Enter the key of a document." : $"A key has at most {MaxKeyLength:N0} characters here." });
            foreach (var candidate in KeysOf(key))
            {
                try
                {
                    if (await page.Administration.GetDocumentAsync(keyspace, candidate, cancellationToken: context.RequestAborted).ConfigureAwait(false) is { } found)
                        return DocumentPage.Of(model with { Detail = found, Problem = null });
                }
                catch (Exception e) when (e is FormatException or ArgumentException)
                {
                    model = model with { Problem = e.Message };
                }
            }
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return DocumentPage.Of(model);
        });
    }

    public Task QueriesAsync(HttpContext context) => RenderAsync(context, PageAddresses.QueriesPage, "Queries", PageAddresses.QueriesPage, isLive: false, page =>
    {
        var order = Enum.TryParse<QueryOrder>(context.Request.Query["sort"], ignoreCase: true, out var asked) && Enum.IsDefined(asked) ? asked : QueryOrder.Total;
        var known = _collector.Queries ?? throw NotStarted();
        var shapes = known.Sorted(order);
        return new(QueriesPage.Of(new QueriesModel(page.Addresses, order, [.. shapes.Take(QueriesModel.MaxShown)], shapes.Count, known.Evicted, page.Node.TimeProvider.GetUtcNow())));
    });

    public Task TailAsync(HttpContext context) => RenderAsync(context, PageAddresses.TailPage, "Live changes", PageAddresses.TailPage, isLive: false, async page =>
    {
        var keyspaces = await page.Administration.ListKeyspacesAsync(context.RequestAborted).ConfigureAwait(false);
        string[] names = [.. keyspaces.Select(static keyspace => keyspace.Name)];
        string? keyspace = ValueOf(context, "keyspace");
        return keyspace is not null && !names.Contains(keyspace)
            ? NotFound(context, "No such keyspace", $"The store has no keyspace '{keyspace}'. Choose one from the page Changes.")
            : TailPage.Of(names, keyspace, page.Stores, page.Addresses);
    });

    public async Task StreamAsync(HttpContext context)
    {
        StoreAdministration administration;
        IEnumerable<string> names;
        try
        {
            administration = _source.Get().Administration.OfStore(context.Request.Query[PageAddresses.StoreParameter].ToString());
            names = (await administration.ListKeyspacesAsync(context.RequestAborted).ConfigureAwait(false)).Select(static keyspace => keyspace.Name);
        }
        catch (Exception e) when (e is InvalidOperationException or StorageException)
        {
            // The node has stopped or cannot read, which the page says when it is loaded.
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        string? keyspace = ValueOf(context, "keyspace");
        string[] watched = [.. names.Where(name => keyspace is null || name == keyspace).Take(ChangeTail.MaxKeyspaces)];
        if (watched.Length == 0 && keyspace is not null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (!_tails.TryOpen())
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        try
        {
            var tail = new ChangeTail(administration, PageAddresses.Of(context, PageAddresses.TailStream), watched);
            await tail.RunAsync(context, services.GetRequiredService<IHostApplicationLifetime>()).ConfigureAwait(false);
        }
        finally
        {
            _tails.Close();
        }
    }

    async Task<KeyspaceModel> ReadAsync(KeyspaceModel model, StoreAdministration administration, CancellationToken cancellationToken)
    {
        try
        {
            JsonElement? after = model.After is { } start ? JsonElement.Parse(start) : null;
            string name = model.Keyspace.Name;
            if (model.IsOfDeleted)
            {
                var deleted = await administration.ListDeletedAsync(name, after, MaxRows, _options.MaxSearchedDocuments, cancellationToken).ConfigureAwait(false);
                return model with { Where = null, Deleted = deleted.Documents, DocumentsRead = deleted.DocumentsRead, Next = deleted.Next?.GetRawText() };
            }
            if (model.Where is { Length: > MaxConditionLength })
                return model with { Problem = $"The condition has more than {MaxConditionLength:N0} characters. Shorten it." };
            // A list is a search without a condition: its limit also counts deleted documents that are still kept.
            var found = await administration.SearchDocumentsAsync(name, model.Where, after, MaxRows, _options.MaxSearchedDocuments, cancellationToken).ConfigureAwait(false);
            return model with { Documents = found.Documents, DocumentsRead = found.DocumentsRead, Next = found.Next?.GetRawText() };
        }
        catch (Exception e) when (e is FormatException or JsonException or ArgumentException)
        {
            return model with { Problem = e is JsonException ? $"The key after which to continue is not JSON: {e.Message}" : e.Message };
        }
    }

    /// <summary>Returns the keys that a text may mean: JSON, a GUID, and the text itself.</summary>
    static IEnumerable<JsonElement> KeysOf(string text)
    {
        if (TryParse(text) is { } json)
            yield return json;
        if (Guid.TryParse(text, out var guid))
            yield return JsonElement.Parse($$"""{"$guid":"{{guid}}"}""");
        yield return JsonElement.Parse($"\"{JsonEncodedText.Encode(text)}\"");

        static JsonElement? TryParse(string text)
        {
            try
            {
                return JsonElement.Parse(text);
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }

    async Task RenderAsync(HttpContext context, string page, string title, string current, bool isLive, Func<PageRequest, ValueTask<RenderFragment>> create)
    {
        var addresses = PageAddresses.Of(context, page == "/" ? "" : page);
        string nodeName = "No node";
        RenderFragment content;
        try
        {
            var (node, administration) = _source.Get();
            nodeName = string.Create(CultureInfo.InvariantCulture, $"Node {node.Id}");
            content = FindStore(administration, addresses.Store, out string problem) is { } store
                ? await create(new PageRequest(node, store, addresses)).ConfigureAwait(false)
                : NotFound(context, "No such store", problem);
        }
        catch (Exception e) when (e is InvalidOperationException or StorageException)
        {
            // The node has stopped or cannot read. The frame remains, with the reason.
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            content = ProblemPage.Of(title, e.Message);
        }
        context.Response.Headers.Vary = PageFrame.FragmentHeader;
        var frame = new PageFrame(title, current, addresses, _options.Title, nodeName, content, isLive ? _options.RefreshInterval : null);
        var shown = context.Request.Headers.ContainsKey(PageFrame.FragmentHeader) ? content : PageDocument.Of(frame);
        var result = new RazorComponentResult<DashboardPage>(new Dictionary<string, object?> { [nameof(DashboardPage.Content)] = shown }) { StatusCode = context.Response.StatusCode };
        await result.ExecuteAsync(context).ConfigureAwait(false);
    }

    static StoreAdministration? FindStore(NodeAdministration administration, string name, out string problem)
    {
        problem = "";
        try
        {
            return administration.OfStore(name);
        }
        catch (InvalidOperationException e)
        {
            problem = e.Message;
            return null;
        }
    }

    static RenderFragment NotFound(HttpContext context, string title, string problem)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return ProblemPage.Of(title, problem);
    }

    static string? ValueOf(HttpContext context, string name) => context.Request.Query[name].ToString().Trim() is { Length: > 0 } value ? value : null;

    static InvalidOperationException NotStarted() => new("The dashboard has not started to collect. It starts with the host: run it with app.Run() or app.StartAsync().");

    /// <summary>The request of a page, with the node and the store that it shows.</summary>
    sealed record PageRequest(DatacakeNode Node, StoreAdministration Administration, PageAddresses Addresses)
    {
        /// <summary>Gets the names of the stores that can be chosen.</summary>
        public IReadOnlyList<string> Stores => [.. Node.OpenStores.Take(MaxStores).Select(static store => store.Name)];
    }
}
