using Microsoft.AspNetCore.Components;

namespace Datacake.Dashboard.Pages;

/// <summary>A page: its content, and the facts that its frame shows.</summary>
/// <param name="Title">The title of the page.</param>
/// <param name="Current">The path of the page in the navigation that the page belongs to.</param>
/// <param name="Addresses">The addresses of all pages.</param>
/// <param name="Application">The title of the dashboard.</param>
/// <param name="Node">The name of the node, such as "Node 1".</param>
/// <param name="Content">The content.</param>
/// <param name="Refresh">The time between two updates; null for a page that is not live.</param>
sealed record PageFrame(string Title, string Current, PageAddresses Addresses, string Application, string Node, RenderFragment Content, TimeSpan? Refresh = null)
{
    /// <summary>The request header that asks for the content alone.</summary>
    public const string FragmentHeader = "Datacake-Fragment";
}
