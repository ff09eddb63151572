using Datacake.Node;

namespace Datacake.Hosting;

/// <summary>A function of the application that sets options of the node.</summary>
/// <param name="Configure">Sets the options, and can use the application's services.</param>
sealed record NodeConfigurator(Action<IServiceProvider, DatacakeNodeOptions> Configure);
