using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Datacake.Dashboard.Assets;

/// <summary>A file that pages load. Its address has a hash of its content, so that browsers can keep it forever.</summary>
sealed class AssetFile
{
    readonly byte[] _content;
    readonly string _contentType;

    AssetFile(string name, string contentType)
    {
        using var resource = typeof(AssetFile).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The resource {name} is missing in the package.");
        using var buffer = new MemoryStream();
        resource.CopyTo(buffer);
        _content = buffer.ToArray();
        _contentType = contentType;
        Hash = Convert.ToHexStringLower(SHA256.HashData(_content).AsSpan(0, 8));
        Path = $"/assets/{Hash}/{name}";
    }

    public static AssetFile Style { get; } = new("dashboard.css", "text/css; charset=utf-8");

    public static AssetFile Script { get; } = new("dashboard.js", "text/javascript; charset=utf-8");

    public static AssetFile Icon { get; } = new("dashboard.svg", "image/svg+xml");

    public static IReadOnlyList<AssetFile> All { get; } = [Style, Script, Icon];

    public string Hash { get; }

    /// <summary>Gets the path below that of the dashboard.</summary>
    public string Path { get; }

    public Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = _contentType;
        context.Response.ContentLength = _content.Length;
        // Not for shared caches: they would answer requests that the application refuses.
        context.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        return context.Response.Body.WriteAsync(_content, context.RequestAborted).AsTask();
    }
}
