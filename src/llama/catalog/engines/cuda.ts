// What vLLM's own images ask of NVIDIA's driver.

/**
 * CUDA's major version in `vllm/vllm-openai` since 0.20.0, which is older than every version that may serve, and the
 * oldest branch of the driver that runs it without the compatibility package.
 * Sources: "CUDA 13.0 default" in the release notes of vLLM 0.20.0; table 1 of
 * docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html.
 */
export const vllmDriverFloor = { cuda: 13, driverBranch: 580 } as const;
