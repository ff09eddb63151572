namespace Datacake.Node;

/// <summary>
/// An extension that runs on a node and uses the node's clock, members, network and storage. Add it with
/// <see cref="DatacakeNode.AddExtensionAsync{T}"/>.
/// </summary>
/// <typeparam name="T">
/// The type that users of the extension work with. If it implements <see cref="IAsyncDisposable"/>, the node disposes it when it stops,
/// before it closes the network. Extensions are disposed in reverse order of their addition.
/// </typeparam>
public interface IClusterExtension<T>
    where T : class
{
    /// <summary>Starts the extension on a running node. Exceptions are passed on to the caller of <c>AddExtensionAsync</c>.</summary>
    ValueTask<T> StartAsync(DatacakeNode node, CancellationToken cancellationToken);
}
