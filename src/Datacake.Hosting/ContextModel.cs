using Datacake.Node;

namespace Datacake.Hosting;

/// <summary>The model of a context that the application has registered, for the settings of the node.</summary>
/// <param name="Declare">Declares the model in the settings of the node.</param>
sealed record ContextModel(Action<DatacakeNodeOptions> Declare);
