using Datacake.Node;

namespace Datacake.Hosting;

/// <summary>The model of a context that the application has registered, for the node.</summary>
/// <param name="Declare">Declares it in the settings of the node.</param>
sealed record ContextModel(Action<DatacakeNodeOptions> Declare);
