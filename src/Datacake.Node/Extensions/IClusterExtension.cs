namespace Datacake.Node;

/// <summary>
/// Something that runs on a node: it finds there the cluster's clock, members, network and storage. Added with
/// <see cref="DatacakeNode.AddExtensionAsync{T}"/>.
/// </summary>
/// <typeparam name="T">
/// What users of the extension work with. If it is <see cref="IAsyncDisposable"/>, the node disposes it before it stops, while its
/// network still works; of several extensions the last added goes first.
/// </typeparam>
public interface IClusterExtension<T>
    where T : class
{
    /// <summary>Starts the extension on a running node. What it throws, the caller of <c>AddExtensionAsync</c> sees.</summary>
    ValueTask<T> StartAsync(DatacakeNode node, CancellationToken cancellationToken);
}
