using System.Globalization;
using Datacake.Dashboard.Assets;
using Microsoft.AspNetCore.Http;

namespace Datacake.Dashboard.Pages;

/// <summary>The addresses of the pages, below the path to which the dashboard is mapped.</summary>
/// <param name="Root">The path of the dashboard, without a slash at its end.</param>
sealed record PageAddresses(string Root)
{
    public const string ThroughputPage = "/throughput", DataPage = "/data", KeyspacePage = "/data/keyspace", DocumentPage = "/data/document", QueriesPage = "/queries",
        TailPage = "/tail", TailStream = "/tail/stream";

    public string Cluster => Root + "/";

    public string Data => Root + DataPage;

    /// <summary>Returns the addresses for a request of a page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="page">The path of the page below that of the dashboard.</param>
    public static PageAddresses Of(HttpContext context, string page)
    {
        string path = (context.Request.PathBase + context.Request.Path).Value!.TrimEnd('/');
        // The dashboard may be mapped within a group, whose path it does not know.
        return new PageAddresses(EscapeOf(path[..^page.Length]));
    }

    public string Asset(AssetFile file) => Root + file.Path;

    public string Throughput(int minutes) => string.Create(CultureInfo.InvariantCulture, $"{Root}{ThroughputPage}?minutes={minutes}");

    public string Keyspace(string name, string? where = null, string? after = null, bool isOfDeleted = false) =>
        Root + KeyspacePage + QueryOf(("name", name), ("where", where), ("show", isOfDeleted ? "deleted" : null), ("after", after));

    public string Document(string keyspace, string key) => Root + DocumentPage + QueryOf(("keyspace", keyspace), ("key", key));

    public string Queries(string order) => Root + QueriesPage + QueryOf(("sort", order));

    public string Tail(string? keyspace = null) => Root + TailPage + QueryOf(("keyspace", keyspace));

    public string Stream(string? keyspace) => Root + TailStream + QueryOf(("keyspace", keyspace));

    static string EscapeOf(string path) => new PathString(path.Length == 0 ? null : path).ToUriComponent();

    static string QueryOf(params (string Name, string? Value)[] parameters)
    {
        var given = parameters.Where(static parameter => !string.IsNullOrEmpty(parameter.Value)).Select(static parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}");
        string query = string.Join('&', given);
        return query.Length == 0 ? "" : "?" + query;
    }
}
