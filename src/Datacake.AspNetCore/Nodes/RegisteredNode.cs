using Datacake.Node;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Nodes;

/// <summary>The node that a service of an application uses.</summary>
static class RegisteredNode
{
    /// <summary>Returns the node that a function finds; without a function, the one that <c>AddDatacake</c> has registered.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="find">Finds the node; null for the registered one.</param>
    /// <param name="user">The service that needs the node, as the beginning of a message: "The output cache".</param>
    /// <exception cref="InvalidOperationException">There is no node, or the registered one has not started.</exception>
    public static DatacakeNode Of(IServiceProvider services, Func<IServiceProvider, DatacakeNode>? find, string user) =>
        find?.Invoke(services) ?? services.GetService<DatacakeNode>()
        ?? throw new InvalidOperationException($"{user} needs a Datacake node, but none is registered. Call services.AddDatacake(options => …), too, or name the node with UseNode.");
}
