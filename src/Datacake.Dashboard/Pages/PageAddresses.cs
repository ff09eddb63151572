using System.Globalization;
using Datacake.Dashboard.Assets;
using Microsoft.AspNetCore.Http;

namespace Datacake.Dashboard.Pages;

/// <summary>The addresses of the pages, below the path to which the dashboard is mapped.</summary>
/// <param name="Root">The path of the dashboard, without a slash at its end.</param>
/// <param name="Store">The name of the store that the pages show; an empty text for the node's own store.</param>
sealed record PageAddresses(string Root, string Store = "")
{
    public const string ThroughputPage = "/throughput", DataPage = "/data", KeyspacePage = "/data/keyspace", DocumentPage = "/data/document", QueriesPage = "/queries",
        TailPage = "/tail", TailStream = "/tail/stream";

    /// <summary>The parameter of all pages with the name of the store.</summary>
    public const string StoreParameter = "store";

    public string Cluster => To("/");

    public string Data => To(DataPage);

    /// <summary>Returns the addresses for a request of a page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="page">The path of the page below that of the dashboard.</param>
    public static PageAddresses Of(HttpContext context, string page)
    {
        string path = (context.Request.PathBase + context.Request.Path).Value!.TrimEnd('/');
        // The dashboard may be mapped within a group, whose path it does not know.
        return new PageAddresses(EscapeOf(path[..^page.Length]), context.Request.Query[StoreParameter].ToString());
    }

    /// <summary>Returns the address of a page that is in the navigation, for the same store.</summary>
    public string To(string page) => Root + page + QueryOf();

    /// <summary>Returns the address of a page of another store.</summary>
    public string ToStore(string page, string store) => (this with { Store = store }).To(page);

    public string Asset(AssetFile file) => Root + file.Path;

    public string Throughput(int minutes) => Root + ThroughputPage + QueryOf(("minutes", minutes.ToString(CultureInfo.InvariantCulture)));

    public string Keyspace(string name, string? where = null, string? after = null, bool isOfDeleted = false) =>
        Root + KeyspacePage + QueryOf(("name", name), ("where", where), ("show", isOfDeleted ? "deleted" : null), ("after", after));

    public string Document(string keyspace, string key) => Root + DocumentPage + QueryOf(("keyspace", keyspace), ("key", key));

    public string Queries(string order) => Root + QueriesPage + QueryOf(("sort", order));

    public string Tail(string? keyspace = null) => Root + TailPage + QueryOf(("keyspace", keyspace));

    public string Stream(string? keyspace) => Root + TailStream + QueryOf(("keyspace", keyspace));

    static string EscapeOf(string path) => new PathString(path.Length == 0 ? null : path).ToUriComponent();

    string QueryOf(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        (string Name, string? Value)[] all = [.. parameters, (StoreParameter, Store)];
        var given = all.Where(static parameter => !string.IsNullOrEmpty(parameter.Value)).Select(static parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}");
        string query = string.Join('&', given);
        return query.Length == 0 ? "" : "?" + query;
    }
}
